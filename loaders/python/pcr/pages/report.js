// SPDX-License-Identifier: BSD-2-Clause
// The report's gallery: one slider sets the fidelity of all pictures.
"use strict";

const samples = JSON.parse(document.getElementById("samples").textContent);
const dial = document.getElementById("fidelity");
const cards = [...document.getElementById("gallery").children];
const start = Number(dial.value);
samples.pictures.forEach((pictures, i) => {  // this one is in the page, so that it shows at once
  pictures[start - 1] = cards[i].querySelector("img").src;
});

function turn() {
  const fidelity = Number(dial.value);
  document.getElementById("fidelity-out").textContent = samples.all[fidelity - 1];
  dial.setAttribute("aria-valuetext", `Fidelity ${fidelity}: ${samples.all[fidelity - 1]}`);
  cards.forEach((card, i) => {
    card.querySelector("img").src = samples.pictures[i][fidelity - 1];
    card.querySelector("small").textContent = samples.texts[i][fidelity - 1];
  });
}

dial.addEventListener("input", turn);
turn();
