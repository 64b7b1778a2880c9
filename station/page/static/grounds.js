// Why a network says what it says: the deciding patch with what speaks for it, beside what of its training is most like
// it. The network looks at the part again for that, which is asked for by a press.

function figure(source, caption) {
  const made = document.createElement("figure");
  const picture = document.createElement("img");
  const told = document.createElement("figcaption");
  picture.src = source;
  picture.alt = caption;
  told.textContent = caption;
  made.append(picture, told);
  return made;
}

export async function askGrounds(button, words, labels) {
  const [place, said] = [document.getElementById("grounds"), document.getElementById("grounds-said")];
  button.disabled = true;
  said.hidden = false;
  said.textContent = words.looking;
  const answer = await fetch(button.dataset.source, { headers: { accept: "application/json" } }).catch(() => null);
  if (answer?.status === 401) location.assign("/sign-in");
  const found = await answer?.json().catch(() => null);
  if (!answer?.ok) {
    said.textContent = found?.refused ?? words.not_sent;
    button.disabled = false;
    return;
  }
  said.textContent = [`${words.patch} ${found.patch}: ${labels.of(found.class)}`, found.like.length ? "" : words.not_told].filter(Boolean).join(". ");
  place.replaceChildren(
    figure(`${button.dataset.source}/0.png`, words.evidence),
    ...found.like.map((name, index) => figure(`${button.dataset.source}/${index + 1}.png`, `${words.like} ${name ? labels.of(name) : words.no_class}`)),
  );
  place.hidden = false;
}
