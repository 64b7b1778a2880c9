// The surface of the part in work: the picture of every strip in its place, as it comes. What is drawn is of this part
// and of its last turn; where there is no picture yet, nothing is.
const bytesOf = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));

export class Surface {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear(null);
  }

  clear(inspection) {
    this.inspection = inspection;
    this.taken = [];
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.canvas.dataset.strips = 0;
  }

  draw(part, sections) {
    const seen = (strip) => part.patches[strip * part.patches_per_strip] !== null;
    const turnsAnew = () => this.taken.some((jpeg, strip) => jpeg && !seen(strip));
    if (!part || part.inspection !== this.inspection || turnsAnew()) this.clear(part?.inspection ?? null);
    for (let strip = 0; strip < (part?.strips ?? 0); strip += 1) {
      const told = sections[`surface.${strip}`];
      if (told?.inspection !== this.inspection || !seen(strip) || this.taken[strip] === told.jpeg) continue;
      this.taken[strip] = told.jpeg;
      this.place(strip, part.strips, told.jpeg);
    }
  }

  async place(strip, strips, jpeg) {
    const picture = await createImageBitmap(new Blob([bytesOf(jpeg)], { type: "image/jpeg" }));
    if (this.taken[strip] === jpeg) {
      const [width, height] = [strips * picture.width, picture.height];
      if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
      this.canvas.getContext("2d").drawImage(picture, strip * picture.width, 0);
      this.canvas.dataset.strips = Number(this.canvas.dataset.strips) + 1;
    }
    picture.close();
  }
}
