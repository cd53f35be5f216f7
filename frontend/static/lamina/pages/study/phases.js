// Phases: the volumes of a 4D series (a heart in steps, b-values), or other series of the same modality on the same grid
// (a liver before and after contrast), shown in the open series' planes one after the other. Zoom, window, tilt and outlines stay; only the voxels change.

import { phasesOf, volumesOf } from "../../geometry/phases.js";
import { toIndex, volumeGeometry } from "../../geometry/volume.js";
import { VolumeImage } from "../../scene/volume-image.js";
import { VolumeStream } from "../../scene/volume-stream.js";
import { NARROW, number } from "../../components/format.js";

/** @import { Room } from "./room.js" */
/** @import { VolumeSession } from "./volume-session.js" */

/** Voxels in the browser and on the card together, for all phases. */
const MOST_BYTES = 1024 ** 3;

/** What a picture takes from a phase. */
const TAKEN = /** @type {const} */ (["uFull", "uPreview", "uLoaded", "uToPreview", "uFullValues", "uPreviewValues", "uHasPreview", "uStreaming"]);

/** @typedef {{ series: any, voxels: Int16Array, loaded: Uint8Array, image: VolumeImage, stream: VolumeStream | null, own: Record<string, any> | null }} Phase */

export class Phases {
  /** @param {VolumeSession} session @param {any[]} list  of the series, the open one among them */
  constructor(session, list) {
    this.session = session;
    this.list = list;
    this.first = list.findIndex((one) => one.id === session.series.id);
    /** The phase that is shown, from 0. */
    this.at = this.first;
    /** @type {(Phase | null)[]} */
    this.made = list.map(() => null);
    const { uniforms } = session.image;
    this.made[this.first] = {
      series: session.series, voxels: session.voxels, loaded: session.loaded, image: session.image, stream: null,
      own: null,
    };
    this.uniforms = uniforms;
    this.stopLoss = session.room.stage.onLoss((lost) => lost && this.show(this.first));
  }

  /** The phases of an open series, or null where it has none or they would not fit. @param {VolumeSession} session @param {any[]} all */
  static of(session, all) {
    const own = volumesOf(session.series);
    const list = own.length > 0 ? own : phasesOf(session.series, all);
    const voxels = session.geometry.shape.reduce((a, b) => a * b);
    return list.length > 1 && list.length * voxels * 4 <= MOST_BYTES ? new Phases(session, list) : null;
  }

  get count() {
    return this.list.length;
  }

  /** What is known of the shown phase. */
  get series() {
    return this.list[this.at];
  }

  /** @param {number} at */
  show(at) {
    const { session } = this;
    // The open series' own slices go into its own picture: it is whole before another one takes its place.
    if (at === this.at || !this.list[at] || session.progress.loaded < session.progress.total) return;
    const before = /** @type {Phase} */ (this.made[this.first]);
    before.own ??= Object.fromEntries(TAKEN.map((name) => [name, this.uniforms[name].value]));
    const phase = (this.made[at] ??= this.make(this.list[at]));
    this.at = at;
    session.voxels = phase.voxels;
    session.loaded = phase.loaded;
    session.volume = phase.series.volume;
    this.take(phase);
  }

  /** @param {Phase} phase */
  take(phase) {
    const from = phase.own;
    for (const name of TAKEN) /** @type {any} */ (this.uniforms[name]).value = from ? from[name] : phase.image.uniforms[name].value;
    this.session.image.version += 1;
    this.session.showPlanes();
  }

  /** @param {any} series @returns {Phase} */
  make(series) {
    const { session } = this;
    const { volume, urls } = series;
    const [depth, rows, columns] = session.geometry.shape;
    /** @type {Phase} */
    const phase = {
      series, voxels: new Int16Array(depth * rows * columns), loaded: new Uint8Array(depth), stream: null, own: null,
      image: new VolumeImage(session.room.stage.renderer, session.geometry, { slope: volume.slope, intercept: volume.intercept }),
    };
    const seen = () => this.made[this.at] === phase && this.take(phase);
    phase.stream = new VolumeStream({ voxels: urls.voxels, packed: urls.packed ?? null, preview: urls.preview ?? null }, { geometry: session.geometry, voxels: phase.voxels, loaded: phase.loaded }, {
      onPreview: (bytes) => {
        phase.image.setPreview(bytes, volumeGeometry({ shape: volume.preview_shape, affine: volume.preview_affine, spacing_mm: volume.spacing_mm ?? null }), volume.preview_range);
        seen();
      },
      onSlices: (first, stored, halves) => {
        phase.image.setSlices(first, stored, halves);
        seen();
      },
      onProgress: () => {},
      onFailed: () => {},
      wantedSlice: () => (session.view.point ? toIndex(session.geometry, session.view.point)[0] : depth / 2),
    });
    void phase.stream.preview().catch(() => {}).then(() => phase.stream?.start());
    return phase;
  }

  close() {
    this.stopLoss();
    this.show(this.first);
    for (const phase of this.made) {
      if (!phase?.stream) continue;
      phase.stream.stop();
      phase.image.dispose();
    }
  }
}

/** What tells a phase from the others: its time, b-value or echo, else what its series is called. @param {any} series */
export function phaseWords({ phase, description }) {
  if (phase?.kind === "time") return `${number(phase.value, 0)}${NARROW}ms`;
  if (phase?.kind === "b") return `b${NARROW}${number(phase.value, 0)}${NARROW}s/mm²`;
  if (phase?.kind === "echo") return `TE${NARROW}${number(phase.value, 1)}${NARROW}ms`;
  return phase ? "" : description ?? "";
}

/** Every opened volume gets its phases. @param {Room} room */
export function makePhases(room) {
  room.onSession((session) => {
    if (session.kind !== "volume") return;
    session.phases = Phases.of(session, room.store.get().study.series);
    return () => {
      session.phases?.close();
      session.phases = null;
    };
  });
}
