// What is on the checklists, by type slug: what makes a document of that kind accessible.

const DOCUMENT = [
  ["headings", "Headings use the heading styles, in order"],
  ["images", "Every image says in its alternative text what it shows"],
  ["links", "Links say where they lead"],
  ["contrast", "Text stands out from its background"],
  ["tables", "Tables have a header row and no merged cells"],
  ["language", "The language is set"],
];

const PRESENTATION = [
  ["titles", "Every slide has a title of its own"],
  ["order", "Each slide is read in the right order"],
  ["images", "Every image says in its alternative text what it shows"],
  ["contrast", "Text stands out from its background"],
  ["media", "Sound and video have captions"],
];

const VIDEO = [
  ["captions", "Everything that is said has captions"],
  ["transcript", "There is a transcript to read"],
  ["described", "What is only shown is also said"],
  ["controls", "It can be paused and played by keyboard"],
];

const LISTS = {
  demo: [
    ["try", "Tick this item"],
    ["note", "Write a note under it"],
    ["link", "Copy the link and open it in another tab"],
  ],
  word: DOCUMENT,
  docs: DOCUMENT,
  powerpoint: PRESENTATION,
  slides: PRESENTATION,
  excel: [
    ["sheets", "Every sheet has a name that says what is in it"],
    ["tables", "Tables have a header row and no merged cells"],
    ["start", "Cell A1 says what the sheet is about"],
    ["charts", "Every chart says in its alternative text what it shows"],
    ["colour", "Nothing is told by colour alone"],
  ],
  camtasia: VIDEO,
  dojo: VIDEO,
};

/** A type that a server was given by its operator has a list of its own making: the notes. */
const ANY = [
  ["content", "The content is complete"],
  ["checked", "Somebody else has checked it"],
];

/**
 * @param {string} typeSlug
 * @returns {{id: string, text: string}[]} in the order in which they are shown; an id is one item of one list
 */
export function itemsOf(typeSlug) {
  const items = Object.hasOwn(LISTS, typeSlug) ? LISTS[typeSlug] : ANY;
  return items.map(([id, text]) => ({ id: `${typeSlug}-${id}`, text }));
}
