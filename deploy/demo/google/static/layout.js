// Where things go in the week: pure functions of wall times.

import { DAY, dayOf } from "./time.js";

// Shorter events are drawn this long, so that they can be read and clicked.
const SHORTEST = 25;

/** Cut what lasts from `start` to `end` at midnights, within the week. */
export function segments(start, end, monday) {
  const pieces = [];
  const until = Math.max(end, start + 1);
  for (let day = Math.max(dayOf(start), monday); day < until; day += DAY) {
    if (day >= monday + 7 * DAY) {
      break;
    }
    pieces.push({
      day: (day - monday) / DAY,
      from: Math.max(start, day) - day,
      to: Math.min(Math.max(end, start), day + DAY) - day,
      isLast: until <= day + DAY,
    });
  }
  return pieces;
}

/**
 * Put a day's pieces side by side where they overlap: each gets its `column` of
 * `columns`, and the `width` up to the next piece it would cover.
 */
export function sideBySide(pieces) {
  const sorted = pieces.toSorted((a, b) => a.from - b.from || b.to - a.to);
  let group = [];
  let ends = [];
  const close = () => {
    for (const piece of group) {
      piece.columns = ends.length;
      const inTheWay = group.filter(
        ({ column, from, bottom }) =>
          column > piece.column && from < piece.bottom && bottom > piece.from,
      );
      const next = Math.min(ends.length, ...inTheWay.map(({ column }) => column));
      piece.width = next - piece.column;
    }
    group = [];
    ends = [];
  };
  for (const piece of sorted) {
    if (ends.every((end) => end <= piece.from)) {
      close();
    }
    const free = ends.findIndex((end) => end <= piece.from);
    piece.column = free < 0 ? ends.length : free;
    piece.bottom = Math.max(piece.to, piece.from + SHORTEST);
    ends[piece.column] = piece.bottom;
    group.push(piece);
  }
  close();
  return sorted;
}

/** Give each bar of the all-day row its first and last column and a lane. */
export function inLanes(bars, monday) {
  const lanes = [];
  const sorted = bars.toSorted((a, b) => a.start - b.start || b.end - a.end);
  for (const bar of sorted) {
    bar.first = Math.max(0, (dayOf(bar.start) - monday) / DAY);
    bar.last = Math.min(6, (dayOf(Math.max(bar.end - 1, bar.start)) - monday) / DAY);
    const free = lanes.findIndex((last) => last < bar.first);
    bar.lane = free < 0 ? lanes.length : free;
    lanes[bar.lane] = bar.last;
  }
  return sorted;
}
