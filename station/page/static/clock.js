// Moments in the plant's time zone, in the person's language.
export function plantClock(parts) {
  const { lang, dataset } = document.documentElement;
  return new Intl.DateTimeFormat(lang, { ...parts, hourCycle: "h23", timeZone: dataset.zone });
}
