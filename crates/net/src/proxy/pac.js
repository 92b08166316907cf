// The functions that a proxy auto-configuration may use (Netscape's "Navigator Proxy Auto-Config File
// Format", 1996; browsers' manuals). dnsResolve and myIpAddress lead outside: `resolveName` and
// `ownAddress` are given by pac.rs.
"use strict";

globalThis.alert = function () {};
globalThis.console = { log() {}, warn() {}, error() {}, info() {} };

globalThis.dnsResolve = (host) => resolveName(String(host)) || null;
globalThis.myIpAddress = () => ownAddress();
globalThis.isResolvable = (host) => dnsResolve(host) !== null;
globalThis.isPlainHostName = (host) => !/[.:]/.test(String(host));
globalThis.dnsDomainLevels = (host) => String(host).split(".").length - 1;
globalThis.dnsDomainIs = (host, domain) =>
  String(host).toLowerCase().endsWith(String(domain).toLowerCase());

globalThis.localHostOrDomainIs = function (host, full) {
  const [one, other] = [String(host).toLowerCase(), String(full).toLowerCase()];
  return one === other || (!one.includes(".") && other.startsWith(one + "."));
};

globalThis.shExpMatch = function (text, pattern) {
  const source = String(pattern)
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    // Several stars say no more than one, and would take the matcher for ever.
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp("^" + source + "$", "s").test(String(text));
};

globalThis.convert_addr = function (text) {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(String(text));
  if (!parts || parts.slice(1).some((part) => part > 255)) return null;
  return parts.slice(1).reduce((sum, part) => sum * 256 + Number(part), 0);
};

globalThis.isInNet = function (host, pattern, mask) {
  let address = convert_addr(host);
  if (address === null) {
    const resolved = dnsResolve(host);
    address = resolved && convert_addr(resolved);
  }
  const [network, bits] = [convert_addr(pattern), convert_addr(mask)];
  if (address === null || network === null || bits === null) return false;
  return (address & bits) === (network & bits);
};

(function () {
  const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
  const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

  // The time of day in the zone that the last argument asks for, and the other arguments.
  function moment(given) {
    const all = Array.from(given);
    const gmt = all.length > 0 && String(all[all.length - 1]).toUpperCase() === "GMT";
    if (gmt) all.pop();
    const now = new Date();
    const get = (what) => now[(gmt ? "getUTC" : "get") + what]();
    return {
      all,
      now: {
        weekday: get("Day"), day: get("Date"), month: get("Month"), year: get("FullYear"),
        hour: get("Hours"), minute: get("Minutes"), second: get("Seconds"),
      },
    };
  }

  // Whether a list of numbers lies between two others, the most significant first. A range that ends
  // before it begins goes over the end of the week, day or year.
  function between(from, at, to) {
    const order = (one, other) => {
      for (let n = 0; n < one.length; n += 1) {
        if (one[n] !== other[n]) return one[n] - other[n];
      }
      return 0;
    };
    const after = order(from, at) <= 0;
    const before = order(at, to) <= 0;
    return order(from, to) <= 0 ? after && before : after || before;
  }

  globalThis.weekdayRange = function () {
    const { all, now } = moment(arguments);
    const days = all.map((day) => DAYS.indexOf(String(day).toUpperCase()));
    if (days.length < 1 || days.length > 2 || days.includes(-1)) return false;
    return between([days[0]], [now.weekday], [days[days.length - 1]]);
  };

  globalThis.dateRange = function () {
    const { all, now } = moment(arguments);
    const kind = (value) => {
      const month = MONTHS.indexOf(String(value).toUpperCase());
      if (month >= 0) return ["month", month];
      const number = Number(value);
      return number >= 1 && number <= 31 ? ["day", number] : ["year", number];
    };
    const parts = all.map(kind);
    if (parts.length === 0 || parts.some((part) => Number.isNaN(part[1]))) return false;
    const half = parts.length === 1 ? 1 : parts.length / 2;
    const [from, to] = [parts.slice(0, half), parts.slice(-half)];
    const order = ["year", "month", "day"].filter((name) => from.some((part) => part[0] === name));
    const pick = (side) =>
      order.map((name) => (side.find((part) => part[0] === name) || [name, NaN])[1]);
    if (pick(to).some(Number.isNaN) || from.length !== order.length) return false;
    return between(pick(from), order.map((name) => now[name]), pick(to));
  };

  globalThis.timeRange = function () {
    const { all, now } = moment(arguments);
    const numbers = all.map(Number);
    const at = [now.hour, now.minute, now.second];
    if (numbers.some(Number.isNaN)) return false;
    switch (numbers.length) {
      case 1: return now.hour === numbers[0];
      case 2: return between([numbers[0]], [now.hour], [numbers[1]]);
      case 4: return between([numbers[0], numbers[1], 0], at, [numbers[2], numbers[3], 59]);
      case 6: return between(numbers.slice(0, 3), at, numbers.slice(3));
      default: return false;
    }
  };
})();
