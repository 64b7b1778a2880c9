// Moments in the plant's time zone, in the person's language; in English the year stands first, so that no month can be
// taken for a day.
export function plantClock(parts) {
  const { lang, dataset } = document.documentElement;
  return new Intl.DateTimeFormat(lang === "en" ? "en-CA" : lang, { ...parts, hourCycle: "h23", timeZone: dataset.zone });
}
