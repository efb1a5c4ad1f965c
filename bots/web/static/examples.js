// What an empty conversation offers: example questions and, where the server has one, a sample picture.

import { $, h } from "./dom.js";

const QUESTIONS = ["What is in the top left?", "How many shapes are there?", "Describe the picture."];
const SAMPLE = "/static/sample.png";

/** Fills the empty state; returns its element, to show and hide. */
export function initExamples(composer) {
  const ask = (question) => h("button", { type: "button", on: { click: () => composer.write(question) } }, question);
  $("examples").append(...QUESTIONS.map((question) => h("li", {}, ask(question))));
  offerSample(composer);
  return $("empty");
}

async function offerSample(composer) {
  let bytes;
  try {
    const response = await fetch(SAMPLE);
    if (!response.ok) return;
    bytes = await response.blob();
  } catch {
    return;
  }
  $("sample-picture").src = SAMPLE;
  $("sample").hidden = false;
  $("sample").addEventListener("click", () => {
    composer.add([new File([bytes], "sample.png", { type: "image/png" })]);
    if (!$("question").value.trim()) composer.write(QUESTIONS[0]);
  });
}
