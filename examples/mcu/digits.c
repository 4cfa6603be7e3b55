/* custom, written by tbn-export; see digits.h. */
/* clang-format off */
#include "digits.h"

#include "tbn_micro.h"

static uint32_t arena[1820];

/* stem */
static const int8_t step1_weights[144] = {
  15, 6, -89, 58, -127, -18, -77, -77, 44, 41, -17, -115, 95, 13, -127, 71, -51, -71, 52, 81, 9,
  127, 0, -68, 54, -107, -72, -96, -100, 78, -118, 44, 127, -99, -81, -3, -33, -10, 77, -71, -92,
  104, -36, -1, 127, 46, -31, -101, -102, -127, 16, -97, 28, 84, 53, 114, 53, 65, -14, -104, -53,
  -127, 13, -24, -118, 58, 123, -118, -127, 81, 85, -4, -45, 34, 66, -52, -127, -22, 47, 0, -38,
  80, -87, 0, -127, -53, 101, 14, 83, -3, -30, -50, -74, 24, 127, 31, 17, 40, 10, -98, 110, -29,
  -66, 127, -48, -18, 56, -55, -57, -127, -73, 27, -3, -24, 33, 108, 66, 107, -19, -127, 84, 40,
  -94, 61, 61, -28, 2, 78, 40, -45, 64, 123, -106, -127, -17, -78, -83, 16, 35, 127, 89, 13, -16,
  -108,
};
static const int16_t step1_gains[16] = {
  12999, 10440, 6625, 12044, 6720, 13253, 14188, 11117, 27543, 18454, 9018, 17530, 10544, 7311,
  15082, 17051,
};
static const int16_t step1_biases[16] = {
  5483, 1921, -404, 1618, -37, 5424, -423, 3645, 6346, -490, 2777, -1027, 2202, -224, -2686, -2324,
};
static const tbn_layer step1_layer = {
    tbn_dense_sums, step1_weights, 0, 0, step1_gains, step1_biases,
    0, 9, 16, 1, 1, 0,
    TBN_GAIN_PER_OUTPUT, 0, 0, 0, 7, 0, 33};
static const tbn_window step1_window = {28, 28, 1, 14, 14, 3, 3, 2, 2, 1, 1};

/* early */
static const uint32_t step2_tile[80] = {
  0xd1c051a1, 0x2c1e8231, 0x7d12c277, 0x6d98699b, 0xeadcfade, 0x9a7fba3f, 0xecba6d9b, 0x44184118,
  0xbabe2e9e, 0xd6799be7, 0xb3a2b580, 0x412193a1, 0xfefe2ece, 0x41bb7580, 0x17a308bb, 0x9a74ae7f,
  0x29af6ebb, 0x3bb0758c, 0xcc44e444, 0x6d8acbd4, 0x93e15390, 0x8e3d6846, 0x4b392583, 0x5980cc5c,
  0xfe94feba, 0x2e8e8a46, 0x69888e34, 0x91816418, 0x3482baaf, 0x536f4e38, 0xf4042bab, 0x172b410b,
  0xf14cea6f, 0x2d8f0c3b, 0x768917b3, 0x689ecf58, 0x6d6f202f, 0xd5448a7b, 0x680ee956, 0x9bc4398b,
  0x96749670, 0x28c72a5f, 0x25a7fc1e, 0x3e5d1e5, 0xc6909e10, 0xbb92aa8e, 0xc044d540, 0x41015181,
  0x9aee3a86, 0x6e1c4b19, 0xbfa2f580, 0x1183b5ab, 0x167806f, 0x4901619b, 0xfd4ceefc, 0x8a589ac8,
  0x9221022b, 0xb886e444, 0x59fa69be, 0x2c8acb10, 0x9e3c0e39, 0xa245ac6f, 0x2c1e0f18, 0x96759771,
  0x8690b694, 0x75886508, 0x93e151e0, 0x14b03e3e, 0x3484b694, 0x4d3893f1, 0x6d560644, 0x6d8a6c18,
  0x13615161, 0x2a9f2a5f, 0x414769cd, 0xfdd0699a, 0x2390065, 0x41d809eb, 0x699a699a, 0x92769240,
};
static const uint8_t step2_tail[40] = {
  124, 233, 47, 236, 60, 208, 100, 129, 196, 28, 150, 146, 41, 26, 101, 240, 48, 24, 143, 31, 62,
  147, 36, 214, 238, 247, 162, 17, 183, 110, 252, 244, 18, 73, 67, 158, 10, 197, 57, 74,
};
static const int16_t step2_gains[20] = {
  10989, 9241, 9739, 14929, 7684, 13217, 15510, 12575, 6581, 8702, 8419, 10669, 9946, 16924, 9177,
  12828, 9025, 10991, 8483, 15668,
};
static const int16_t step2_biases[20] = {
  15, 95, -83, -194, 73, -51, 43, 272, 1, -32, 15, -41, -2, 77, -176, 58, 98, 60, 49, 125,
};
static const tbn_layer step2_layer = {
    tbn_tile_sums, step2_tile, step2_tail, 0, step2_gains, step2_biases,
    0, 144, 20, 1, 1, 20,
    TBN_GAIN_PER_OUTPUT, 0, 0, 0, 2, 0, 0};
static const tbn_window step2_window = {14, 14, 16, 14, 14, 3, 3, 1, 1, 1, 1};

/* down */
static const uint32_t step3_tile[100] = {
  0xca924c2b, 0xecd01cc9, 0xaeb55503, 0x35e5925e, 0xe4e2d2db, 0xdec5ffe2, 0x8060084b, 0xdf804dd9,
  0x4ca80772, 0xae602aa7, 0x12b5355f, 0x336d0326, 0xdcba5cf9, 0xa0712acd, 0xc8fb2dcd, 0xaf92d8e9,
  0xf375d737, 0x3ebf7eeb, 0xdb0e3ff7, 0x29716ae7, 0x762c88e0, 0xb66f9442, 0x1edaf92d, 0x2fe3df7f,
  0xf654e665, 0xc939ec6f, 0x71000e10, 0x91095800, 0x81918a8d, 0xf08fbc0a, 0xf3512b11, 0x41c2335e,
  0x935d6a25, 0x79cd3714, 0x9d7e0f92, 0x9e865ced, 0x6fcf35df, 0xc6dafbed, 0x332d8022, 0x64c2171e,
  0x2e25d062, 0x7a8f5d88, 0xdce916ca, 0xc37a5d26, 0x3e4655a4, 0x5fdc0dcc, 0x71020, 0x4fd924dd,
  0x500af50c, 0xa6bf1a2a, 0x513b1212, 0xa334aa72, 0x5ce965dc, 0x2a1712a1, 0x514bb514, 0x82792d8f,
  0xe3375933, 0xd2596d06, 0x2f96e3db, 0x7ac613ac, 0xa7e2ea5e, 0x612a8e5, 0xe8a8af96, 0x682d37b6,
  0x867fde64, 0xdd17fdc0, 0x31100f5, 0x1124df12, 0xc91388a1, 0x27ca7bf9, 0x3f1d02b1, 0xf048130e,
  0xcdfdceb6, 0x70cf311, 0x99554f9, 0xf9aa25da, 0x36d6637d, 0x4c6ea5d6, 0x3b12d84f, 0xdc4f2d65,
  0xa26a6f32, 0x53ac65fa, 0xa8cf92ac, 0x6d4686d2, 0x57ae4522, 0x15e9f15f, 0x15027152, 0x6cfe0627,
  0xc9650, 0x6d26f192, 0xd13b101, 0xa87b0a27, 0x65ce964c, 0xa7378aa, 0x4554b551, 0xa8a39ad8,
  0x9a1261f5, 0xde215ff2, 0xe3f17d9d, 0x17ad417a,
};
static const uint8_t step3_tail[60] = {
  165, 138, 153, 121, 236, 21, 15, 245, 129, 127, 50, 52, 99, 52, 74, 63, 166, 20, 6, 244, 39, 162,
  142, 210, 253, 23, 48, 207, 41, 215, 221, 133, 220, 167, 85, 167, 34, 42, 43, 255, 10, 1, 9, 6,
  11, 1, 9, 6, 1, 6, 11, 10, 6, 4, 0, 10, 9, 4, 0, 6,
};
static const int16_t step3_gains[40] = {
  -31163, 24362, -23802, 11562, 15749, -22006, 21362, -24184, 21162, -17089, -29413, 19888, -23386,
  -25193, 15407, -22489, -20619, 22740, -22616, 25668, 27736, -22834, 13778, -27714, -24871,
  -17402, 13141, 16147, 13082, -26815, 25071, 15875, 16027, 26382, 23306, 21902, -14499, -26107,
  -9055, -26900,
};
static const int16_t step3_biases[40] = {
  -191, -77, 49, 378, 96, 150, 440, -55, 330, -19, -334, -27, 38, -86, 269, -88, 446, -366, 247,
  -382, -45, 37, 29, -75, 34, 353, 484, 97, 371, -123, 95, 326, -82, -87, 116, -182, 111, 170, 89,
  327,
};
static const tbn_layer step3_layer = {
    tbn_tile_sums, step3_tile, step3_tail, 0, step3_gains, step3_biases,
    0, 180, 20, 2, 1, 20,
    TBN_GAIN_PER_OUTPUT, 0, 0, 0, 3, 0, 0};
static const tbn_window step3_window = {14, 14, 20, 7, 7, 3, 3, 2, 2, 1, 1};

/* wide */
static const uint32_t step4_tile[220] = {
  0xa162be0f, 0xeb2a3a8c, 0xb1edd787, 0x39936392, 0x14df0113, 0xd6672dfd, 0x829c1054, 0x56676806,
  0x4edc55ff, 0x34c763d3, 0x31633799, 0xebf2febf, 0xa39c12b1, 0x5d82c147, 0xfab8ffe0, 0x1aa8b1f,
  0x15819142, 0xb893be97, 0x6d0876d2, 0x140791c5, 0x6abbee28, 0x2ebbe8cf, 0xdcf0df5e, 0x714199b3,
  0x329517a, 0x5a9cf669, 0xb17be1b2, 0x2ace22ad, 0xd9d4c7fd, 0xd7414b45, 0x7109d11, 0xdff6bf8f,
  0x11567872, 0x9be35336, 0xff3d0bb7, 0xaaaa0788, 0x855c222, 0xa6d97e31, 0x796ef217, 0xcb814679,
  0x67bdaa37, 0xbe2ceef3, 0xf6d74bc4, 0x4009b7e9, 0x1423295, 0x8227888, 0x3221f7b7, 0x4b682886,
  0x9486b504, 0x40096918, 0xb81d0082, 0x76addffb, 0x2cb0b769, 0xe612373e, 0x980df598, 0xe379aa95,
  0x5c550645, 0xdc2447d7, 0x6b3997ef, 0xc142385d, 0x1dd7634c, 0x1eaa2ec, 0x644844dc, 0x36fd09f7,
  0x15021483, 0x5bb08bf9, 0xa553bfd3, 0x620eb720, 0x830819a, 0x3c9095e, 0xbb4ac36e, 0xbfdfeb5f,
  0x9fb18b73, 0xb973389d, 0xebe889ef, 0x6657762c, 0x420ec91a, 0xd6ffcff5, 0xb57322d, 0x63365481,
  0x3018bb83, 0xf9b9e76f, 0xff5945c1, 0x17290bf6, 0x1ec49010, 0x6c5d93c7, 0xb29bb9bf, 0x3854c701,
  0x81e23e4a, 0x2041201, 0x5130df66, 0xa332be, 0x42b00cdb, 0x53d25d9c, 0xf5fbef6b, 0xa8469a81,
  0x6e556d51, 0x21158294, 0x47f12e63, 0x1f3cab43, 0x5fefc95a, 0x13f1cf47, 0xd860c904, 0x9021034,
  0xe7b01837, 0xd25004b, 0x30bf630b, 0x5000cd6, 0x7f60436d, 0x885a0019, 0x885704c9, 0x26d6b47e,
  0x601c53b9, 0xf4dfbdff, 0x2aff4623, 0x96280238, 0x7ddef646, 0xd628ad78, 0x68f9360a, 0x1a2a692a,
  0x4777df74, 0xdec437b8, 0x629d64a9, 0xe92fd27, 0x18387236, 0xb80ca240, 0xff1023f3, 0x691c20b8,
  0x40c1e5ed, 0x6e482842, 0x28c0c19, 0x5e5c6d46, 0x9a50bfc0, 0xd9ddc35d, 0x4fe4bffd, 0x4d238082,
  0x9896167f, 0x7c7d8d02, 0xb12f50d1, 0xa12b28ff, 0x6925574, 0xe1ff0800, 0xf02c8ad7, 0xd0f66d2e,
  0xdc3d06e7, 0x8452a082, 0xe92df800, 0xc1cb9aeb, 0x9086be57, 0x9c24d8b, 0x4d940a8b, 0x9f174feb,
  0x43c10746, 0x6c033d0c, 0xe1ef78b2, 0x3cbcd730, 0xd0d72ac0, 0x1f02c84b, 0x9a3591b8, 0xe6a3ba,
  0xca61289e, 0x7e7d3c57, 0x2acfdf3e, 0xe446e69e, 0x1df7cbf4, 0x49225ed9, 0x2f9fab31, 0xbe8d5c46,
  0x902880e4, 0xd83a1dd1, 0x4971b4d5, 0xf22895a6, 0xc95514cd, 0x4db5b971, 0xd7cd1de7, 0x89c0cb3c,
  0xf62a57ce, 0x10070892, 0x2e6928f6, 0xa08e06a8, 0xc3f8fe2f, 0xcd5e57c0, 0xaaea636e, 0x66c61ed8,
  0x27e830fe, 0x5dcb4740, 0xb7fbf7eb, 0x8ec72858, 0x22be86, 0x28ad7185, 0x7dad6742, 0x4c761dff,
  0x70dcaf41, 0x7d79f35f, 0x9d14dbe3, 0x87312067, 0xaa629ab6, 0x10e9f32f, 0x2948d294, 0x8222282e,
  0x7b214ba2, 0x465e94d6, 0xc3790c2e, 0x860294d4, 0xc920bc5c, 0x47fcf0ff, 0xcb7fcc6d, 0xc37d3c3e,
  0xaafd0622, 0x2961f2d5, 0xcb657cdc, 0x760d3feb, 0xdc6f19c9, 0x6b124961, 0x341bf399, 0x318327c2,
  0x2019a6d6, 0x7d63235d, 0x409094c6, 0xa8232e29,
};
static const uint8_t step4_tail[20] = {
  245, 72, 177, 40, 130, 238, 255, 203, 218, 29, 93, 88, 123, 143, 21, 4, 20, 49, 8, 193,
};
static const int16_t step4_gains[40] = {
  -9930, 11183, -8652, 3818, 6854, 11157, -7746, -10732, 12596, 9454, -6442, -8869, 10218, -16413,
  -5872, 19583, 6618, 15080, 14515, 11492, -11271, -12808, 15413, 7642, 10509, -10995, -13254,
  10810, 12007, 7855, 13864, -7913, 11042, 6898, -8584, -12112, 11260, -13235, -7908, -8756,
};
static const int16_t step4_biases[40] = {
  -268, -360, -75, 11, 30, -145, -94, -419, -30, 147, -102, -100, -211, 51, 190, 314, -109, -357,
  -57, -5, -126, 42, -376, -14, -69, -203, -19, 51, 54, 98, -110, 12, -150, -240, 209, -454, -136,
  -254, -148, -290,
};
static const tbn_layer step4_layer = {
    tbn_tile_sums, step4_tile, step4_tail, 0, step4_gains, step4_biases,
    0, 360, 20, 2, 1, 20,
    TBN_GAIN_PER_OUTPUT, 0, 0, 0, 3, 0, 0};
static const tbn_window step4_window = {7, 7, 40, 7, 7, 3, 3, 1, 1, 1, 1};

/* last */
static const uint32_t step5_tile[154] = {
  0x5e01c4f0, 0xa3bfda4c, 0xea8cba6f, 0xa0fc9a3d, 0x236e9216, 0x6165d690, 0xb69eabc9, 0xf5101747,
  0xdc9b2d29, 0xf8061b06, 0x1a737481, 0x89ad5c9c, 0x3b22d786, 0xebc94a38, 0xa14dfa14, 0xff1a6d4f,
  0xacba2ea1, 0xfe1bad87, 0x7ed35681, 0x6496027f, 0x9aaacfa8, 0x5186e421, 0x119d3139, 0xa60b9221,
  0x5276a1ff, 0xd5509df7, 0x67a2026d, 0x91423ad4, 0x11e014ce, 0x183dffa5, 0xbb2aa1aa, 0x1b3d8bb4,
  0x5156c723, 0x970d2f62, 0xaacd8aae, 0xb7e61865, 0xcd1139d5, 0x478ea479, 0x6aa4ef3e, 0x509df764,
  0xa204307a, 0x573ed4eb, 0xb8f442ed, 0x656b91f2, 0xe9a1b2ac, 0x7ecbb5da, 0x16c48b6e, 0xce6d32c4,
  0xcb89ae98, 0x5f587d40, 0x2b30dd13, 0x63a473a7, 0x85ef3e5a, 0x94d36495, 0xe2046a65, 0xb8c4e31c,
  0x743be957, 0x29f4543a, 0xe1fc983b, 0xc706aad0, 0x83037cd3, 0x73747517, 0x8bfcbaba, 0x1bf7959b,
  0xb4e89b0f, 0x2df4285b, 0xf6085769, 0x5709f754, 0xeb795697, 0x942be943, 0xbafd5fb8, 0x1640b664,
  0x9aa83be8, 0x6be5048, 0x97c1167, 0x74651744, 0xb69abbcd, 0x67c1867c, 0xd4111f63, 0x752857f3,
  0x1a5660a5, 0xd5109d, 0x786ba762, 0x1fd801f8, 0x7f17a070, 0x41b7b009, 0xaa3daa81, 0xf84a4cc4,
  0x5e3137c9, 0x57370261, 0x988be9c9, 0xc0a6bc1a, 0x168d15b9, 0x2657cae4, 0x56a1a567, 0x67d88557,
  0x2ba02232, 0xf801f9d0, 0x13b4f33a, 0xbb291b33, 0x2be9a132, 0x1867c6a4, 0x73364119, 0x53867530,
  0x8aedc9ae, 0x92651a7f, 0x4a8370df, 0x1f63e436, 0x6885621a, 0xbc8c5dc8, 0x7e31209, 0x3bcc013,
  0xb2413b06, 0xa159bad1, 0xb801fa91, 0x4be187d5, 0x37ce39fc, 0x9667707e, 0xa590b49f, 0x7c09e644,
  0x23f46813, 0x6ba5f422, 0x8576985f, 0x8cd980c6, 0x52ab377e, 0xec903bc5, 0xe1fb0e1b, 0x7b3a61b7,
  0xa516a179, 0xe5869514, 0x46b97c71, 0xf7907f5a, 0x78b69fda, 0x5985c1ba, 0xf460134c, 0xe4f4ab5f,
  0x73985769, 0x5980ccb8, 0xe69b6fa5, 0x909e8709, 0xd2461da6, 0x3263b722, 0x36a8afea, 0xa695984d,
  0x97e30b7, 0x70765287, 0xaa5b8aa1, 0x85c0fa7c, 0xc25c9d21, 0xb6af5fca, 0x92562985, 0x806e9884,
  0x8b2fe996, 0xbe9c0bfc,
};
static const uint8_t step5_tail[14] = {
  227, 179, 161, 160, 67, 103, 88, 29, 41, 230, 98, 17, 54, 208,
};
static const int16_t step5_gains[56] = {
  -13233, 11008, 3597, 7511, -9401, 11020, 3483, -5421, 560, 6315, -5482, -5006, -5653, -365,
  -8481, 8431, 5754, 6768, -3230, 10719, -2053, -1823, 9917, 7692, 6043, 3261, -7347, -3624, 6692,
  8940, 6705, -9188, 5746, -4546, -8455, 7999, -5693, 6327, -5486, -13449, -7225, 5936, -8139,
  5408, -4315, 6910, -4702, 4953, -11416, -17294, 7303, -9988, 12966, -3127, 6048, 8201,
};
static const int16_t step5_biases[56] = {
  2, -27, -25, -20, -8, 8, -31, -52, -25, -34, -5, -62, -39, -18, -26, -58, -11, -18, -32, -24,
  -14, -48, 9, -32, -47, 6, 0, -41, -30, -47, -15, -49, 10, -30, -22, -19, -45, -49, -18, -47, -4,
  -13, -30, -30, -27, 2, -41, -28, 4, -8, -49, 21, 11, -37, -59, -7,
};
static const tbn_layer step5_layer = {
    tbn_tile_sums, step5_tile, step5_tail, 0, step5_gains, step5_biases,
    0, 360, 14, 4, 1, 14,
    TBN_GAIN_PER_OUTPUT, 0, 0, 0, 2, 0, 0};
static const tbn_window step5_window = {7, 7, 40, 7, 7, 3, 3, 1, 1, 1, 1};

/* pool1 */
static const tbn_mean step6_mean = {24196, 3, 0, 0};
static const tbn_window step6_window = {7, 7, 56, 1, 1, 7, 7, 1, 1, 0, 0};

/* classifier */
static const uint32_t step7_tile[10] = {
  0x5621088, 0x8e4c1530, 0x3348c123, 0x6dc99b26, 0x28106e41, 0xd08b062c, 0x913800e0, 0x6c07d45b,
  0xe0158856, 0x1ae66b91,
};
static const uint8_t step7_tail[30] = {
  19, 74, 17, 176, 247, 41, 12, 72, 131, 176, 35, 211, 140, 139, 54, 170, 144, 109, 74, 116, 158,
  140, 24, 196, 41, 226, 83, 100, 114, 38,
};
static const int16_t step7_gains[1] = {
  32767,
};
static const int16_t step7_biases[10] = {
  -22, 36, 5, -21, -5, 13, 7, -18, -3, 4,
};
static const tbn_layer step7_layer = {
    tbn_tile_sums, step7_tile, step7_tail, 0, step7_gains, step7_biases,
    0, 56, 10, 1, 1, 10,
    TBN_ONE_GAIN, 0, 0, 0, 0, 0, 0};

uint8_t *digits_input(void) { return (uint8_t *)(arena + 19); }

const int32_t *digits_run(void) {
  tbn_conv2d(&step1_layer, &step1_window, (uint8_t *)(arena + 19), (uint8_t *)(arena + 980), (int32_t *)(arena + 0)); /* stem */
  tbn_conv2d(&step2_layer, &step2_window, (uint8_t *)(arena + 980), (uint8_t *)(arena + 0), (int32_t *)(arena + 1764)); /* early */
  tbn_conv2d(&step3_layer, &step3_window, (uint8_t *)(arena + 0), (uint8_t *)(arena + 1176), (int32_t *)(arena + 980)); /* down */
  tbn_conv2d(&step4_layer, &step4_window, (uint8_t *)(arena + 1176), (uint8_t *)(arena + 686), (int32_t *)(arena + 0)); /* wide */
  tbn_conv2d(&step5_layer, &step5_window, (uint8_t *)(arena + 686), (uint8_t *)(arena + 0), (int32_t *)(arena + 1176)); /* last */
  tbn_mean_pool(&step6_mean, &step6_window, (uint8_t *)(arena + 0), (uint8_t *)(arena + 686)); /* pool1 */
  tbn_linear_logits(&step7_layer, (uint8_t *)(arena + 686), (int32_t *)(arena + 0), (int32_t *)(arena + 10)); /* classifier */
  return (const int32_t *)(arena + 0);
}

int digits_predict(void) { return tbn_argmax(digits_run(), DIGITS_OUTPUTS); }
