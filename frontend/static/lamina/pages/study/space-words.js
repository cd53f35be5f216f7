// Names of the 3D's presets and faces. Functions, because the catalogue is there before they are called.

import { gettext } from "../../i18n.js";

/** @type {Record<string, () => string>} */
const WORDS = {
  "volume-bone": () => gettext("Bone"),
  "volume-soft": () => gettext("Soft tissue"),
  "volume-lung": () => gettext("Lung"),
  "volume-vessel": () => gettext("Vessels"),
  "volume-pet": () => gettext("Brightest"),
  "volume-mr": () => gettext("Tissue"),
  "volume-mr-bright": () => gettext("Brightest"),
  own: () => gettext("Own"),
};

/** @param {string} id */
export const spaceWord = (id) => WORDS[id]?.() ?? id;
