// The whole scan, as the camera gave it, in tiles: only those are asked for that are in sight.

export class Tiles {
  // place: where the tiles stand, in the scan's pixels; frame: what of them is in sight.
  constructor(place, frame) {
    this.place = place;
    this.frame = frame;
    this.size = null;
    this.shown = new Map();
  }

  async enter(source) {
    const answer = await fetch(source, { headers: { accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    const { width, height, tile } = await answer.json();
    this.source = source;
    this.tile = tile;
    this.size = { width, height };
  }

  leave() {
    this.size = null;
    this.shown.clear();
    this.place.replaceChildren();
  }

  // Which tiles are in sight, when the scan stands at (x, y) in the frame, `scale` times as large.
  draw({ scale, x, y }) {
    if (!this.size) return;
    const { width, height } = this.frame.getBoundingClientRect();
    const range = (from, to, most) => {
      const first = Math.max(0, Math.floor(from / scale / this.tile));
      const last = Math.min(Math.ceil(most / this.tile) - 1, Math.floor(to / scale / this.tile));
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
    };
    const wanted = new Map();
    for (const row of range(-y, height - y, this.size.height)) {
      for (const column of range(-x, width - x, this.size.width)) {
        const name = `${row}/${column}`;
        wanted.set(name, this.shown.get(name) ?? this.made(row, column));
      }
    }
    this.shown = wanted;
    this.place.replaceChildren(...wanted.values());
  }

  made(row, column) {
    const picture = document.createElement("img");
    picture.src = `${this.source}/${row}/${column}.png`;
    picture.alt = "";
    picture.draggable = false;
    picture.style.left = `${column * this.tile}px`;
    picture.style.top = `${row * this.tile}px`;
    return picture;
  }
}
