// Calendar arithmetic is <chrono>'s; a step's length is compared to a thousandth of it.
#include "data/series/time_axis.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace tbn {
namespace {

constexpr double kDay = 86400;
constexpr double kHour = 3600;
constexpr double kMinute = 60;

// Takes what it recognises from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }

  // One character of `any`; 0 where there is none.
  char take(std::string_view any) {
    if (text_.empty() || any.find(text_.front()) == std::string_view::npos) return 0;
    const char found = text_.front();
    text_.remove_prefix(1);
    return found;
  }

  // A whole number of `least` to `most` digits.
  std::optional<int> digits(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    int value = 0;
    while (count < most && count < text_.size() && text_[count] >= '0' && text_[count] <= '9') {
      value = 10 * value + (text_[count++] - '0');
    }
    if (count < least) return std::nullopt;
    text_.remove_prefix(count);
    return value;
  }

  // What follows the point of a number of seconds.
  double fraction() {
    double value = 0;
    double unit = 0.1;
    while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      value += unit * (text_.front() - '0');
      unit /= 10;
      text_.remove_prefix(1);
    }
    return value;
  }

 private:
  std::string_view text_;
};

std::optional<double> seconds_of(int year, int month, int day) {
  namespace chr = std::chrono;
  const chr::year_month_day date(chr::year(year), chr::month(static_cast<unsigned>(month)),
                                 chr::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;
  return kDay * static_cast<double>(chr::sys_days(date).time_since_epoch().count());
}

// "2016-07-01", "2016/7/1" or "01.07.2016".
std::optional<double> take_date(Scanner& scan) {
  const std::optional<int> first = scan.digits(1, 4);
  if (!first) return std::nullopt;
  const char separator = scan.take("-/.");
  const std::optional<int> month = separator != 0 ? scan.digits(1, 2) : std::nullopt;
  if (!month || scan.take(std::string_view(&separator, 1)) == 0) return std::nullopt;
  const std::optional<int> last = scan.digits(1, 4);
  if (!last) return std::nullopt;
  if (*first > 31) return *last <= 31 ? seconds_of(*first, *month, *last) : std::nullopt;
  const bool day_first = separator == '.' && *last > 31;
  return day_first ? seconds_of(*last, *month, *first) : std::nullopt;
}

// "00:15", "0:15:30.5", of a day.
std::optional<double> take_clock(Scanner& scan) {
  const std::optional<int> hour = scan.digits(1, 2);
  if (!hour || *hour > 24 || scan.take(":") == 0) return std::nullopt;
  const std::optional<int> minute = scan.digits(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  double seconds = *hour * kHour + *minute * kMinute;
  if (scan.take(":") != 0) {
    const std::optional<int> second = scan.digits(2, 2);
    if (!second || *second > 60) return std::nullopt;
    seconds += *second;
    if (scan.take(".") != 0) seconds += scan.fraction();
  }
  return seconds;
}

// "", "Z", "+02:00", "-0530": how far local time is ahead.
std::optional<double> take_zone(Scanner& scan) {
  if (scan.done() || scan.take("Z") != 0) return 0;
  const char sign = scan.take("+-");
  const std::optional<int> hours = sign != 0 ? scan.digits(2, 2) : std::nullopt;
  if (!hours) return std::nullopt;
  scan.take(":");
  const int minutes = scan.digits(2, 2).value_or(0);
  return (sign == '-' ? -1 : 1) * (*hours * kHour + minutes * kMinute);
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  // Nanoseconds since 1970 are beyond it, and steps stay exact below.
  constexpr double kMost = 1e15;
  if (!whole || !(std::abs(value) < kMost)) return std::nullopt;
  if (text.size() == 8 &&
      value > 1e7) {  // "20160701"; seconds since 1970 have nine digits and more
    const int date = static_cast<int>(value);
    if (const auto seconds = seconds_of(date / 10000, date / 100 % 100, date % 100)) return seconds;
  }
  return value;
}

bool same_step(double a, double b) { return std::abs(a - b) <= 1e-3 * std::max(a, b); }

// The step that most rows take, and how many do.
struct Commonest {
  double seconds = 0;
  std::size_t count = 0;
};

Commonest commonest_of(std::vector<double> steps) {
  std::sort(steps.begin(), steps.end());
  Commonest best;
  for (std::size_t begin = 0, end = 0; begin < steps.size(); begin = end) {
    while (end < steps.size() && same_step(steps[begin], steps[end])) ++end;
    if (steps[begin] > 0 && end - begin > best.count) best = {steps[begin], end - begin};
  }
  return best;
}

// "3 times (first at 2016-07-01 00:15:00)"
struct Occurrences {
  std::size_t count = 0;
  double first = 0;

  void add(double time) {
    if (count++ == 0) first = time;
  }
  std::string text() const {
    return fmt::format("{} {} (first at {})", grouped(count), count == 1 ? "time" : "times",
                       time_text(first));
  }
};

}  // namespace

std::optional<double> parse_time(std::string_view text) {
  if (const auto number = number_of(text)) return number;
  Scanner scan(text);
  const std::optional<double> date = take_date(scan);
  if (!date) return std::nullopt;
  if (scan.done()) return date;
  if (scan.take("T ") == 0) return std::nullopt;
  const std::optional<double> clock = take_clock(scan);
  if (!clock) return std::nullopt;
  scan.take(" ");
  const std::optional<double> zone = take_zone(scan);
  if (!zone || !scan.done()) return std::nullopt;
  return *date + *clock - *zone;
}

std::string time_text(double seconds) {
  constexpr double kMost = 253402300800;  // the end of the year 9999: beyond it are no dates
  if (!(std::abs(seconds) < kMost)) return fmt::format("the number {:.15g}", seconds);
  namespace chr = std::chrono;
  const auto whole = static_cast<std::int64_t>(std::floor(seconds));
  const chr::sys_seconds time{chr::seconds(whole)};
  const auto day = chr::floor<chr::days>(time);
  const chr::year_month_day date(day);
  const chr::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

TimeSteps judge_steps(std::span<const double> times) {
  std::vector<double> known;
  for (const double time : times) {
    if (!std::isnan(time)) known.push_back(time);
  }
  std::vector<double> steps;
  for (std::size_t i = 1; i < known.size(); ++i) steps.push_back(known[i] - known[i - 1]);
  TimeSteps result;
  if (steps.empty()) return result;
  const Commonest common = commonest_of(steps);
  if (2 * common.count >= steps.size()) result.seconds = common.seconds;

  Occurrences repeated;
  Occurrences longer;
  Occurrences shorter;
  double longest = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] == 0) {
      repeated.add(known[i]);
    } else if (!same_step(steps[i], common.seconds)) {
      (steps[i] > common.seconds ? longer : shorter).add(known[i]);
      longest = std::max(longest, steps[i]);
    }
  }
  if (repeated.count > 0) {
    result.notes.push_back(fmt::format(
        "a row has the time stamp of the row before it {}; both count as steps", repeated.text()));
  }
  const std::size_t different = longer.count + shorter.count;
  if (shorter.count > 0 || 10 * different > steps.size()) {
    result.notes.push_back(fmt::format(
        "rows lie no one step apart: {:g} s in {} of {} steps, another {}; a network takes them "
        "for equal",
        common.seconds, grouped(common.count), grouped(steps.size()),
        (shorter.count > 0 ? shorter : longer).text()));
  } else if (longer.count > 0) {
    result.notes.push_back(
        fmt::format("rows are missing {}: a step is {:g} s, the longest gap {:g} s; windows go "
                    "over gaps as if there were none",
                    longer.text(), common.seconds, longest));
  }
  return result;
}

}  // namespace tbn
