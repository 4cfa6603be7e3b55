/* Recognises two drawn digits. On a microcontroller, fill digits_input() from a camera or a touch
 * screen instead; nothing else is needed but digits.h and .c, tbn_micro.h and .c. */
#include <stdio.h>

#include "digits.h"

/* 28 x 28 pixels: '#' is ink, '+' half of it, as handwriting is scanned. */
/* clang-format off */
static const char* const seven[28] = {
    "                            ",
    "                            ",
    "                            ",
    "                            ",
    "                            ",
    "                            ",
    "      +#################+   ",
    "      ###################+  ",
    "      +##################   ",
    "                   +####+   ",
    "                   ####+    ",
    "                  +###+     ",
    "                  ####      ",
    "                 +###+      ",
    "                 ####       ",
    "                +###+       ",
    "                ####        ",
    "               +###+        ",
    "               ####         ",
    "              +###+         ",
    "              ####          ",
    "             +###+          ",
    "             ####           ",
    "             ###+           ",
    "             +#+            ",
    "                            ",
    "                            ",
    "                            ",
};
static const char* const nought[28] = {
    "                            ",
    "                            ",
    "                            ",
    "                            ",
    "           +####+           ",
    "          +######+          ",
    "         +########+         ",
    "        +###+  +###+        ",
    "       +###+    +###        ",
    "       ####      ###+       ",
    "      +###       +###       ",
    "      ###+        ###       ",
    "      ###         ###+      ",
    "     +###         +###      ",
    "     +##+         +###      ",
    "     +##+         +###      ",
    "     +###         +###      ",
    "      ###         ###+      ",
    "      ###+       +###       ",
    "      +###       ####       ",
    "       ###+     +###+       ",
    "       +###+   +###+        ",
    "        +#########+         ",
    "         +#######+          ",
    "           +###+            ",
    "                            ",
    "                            ",
    "                            ",
};
/* clang-format on */

static int recognise(const char* const drawing[28]) {
  uint8_t* pixels = digits_input();
  for (int row = 0; row < 28; ++row) {
    for (int column = 0; column < 28; ++column) {
      const char ink = drawing[row][column];
      pixels[28 * row + column] = ink == '#' ? 255 : ink == '+' ? 128 : 0;
    }
  }
  return digits_predict();
}

int main(void) {
  const int first = recognise(seven), second = recognise(nought);
  printf("drawn: 7 and 0; recognised: %d and %d\n", first, second);
  return first == 7 && second == 0 ? 0 : 1;
}
