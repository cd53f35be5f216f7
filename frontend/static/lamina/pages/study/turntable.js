// Once round the patient as a video: the camera turns, each picture is taken with its texts burnt in.

import { percent } from "../../components/format.js";
import { wrap } from "../../geometry/orbit.js";
import { gettext, interpolate } from "../../i18n.js";
import { fileName, paintViewport, save } from "./snapshot.js";

/** @import { Room } from "./room.js" */

const SECONDS = 8;
const KINDS = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

/** The kind of video this browser can make, or none. */
export const videoKind = () => (typeof MediaRecorder === "undefined" ? undefined : KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)));

/**
 * Record one turn. Resolves when the file is saved or the recording was stopped.
 * @param {Room} room @param {AbortSignal} signal @param {(text: string) => void} say @param {number} [seconds]
 */
export async function recordTurntable(room, signal, say, seconds = SECONDS) {
  const { session, frames } = room;
  const kind = videoKind();
  if (session?.kind !== "volume" || !kind) return;
  const { space } = session;
  const before = space.orbit;
  const canvas = document.createElement("canvas");
  paintViewport(room, frames.surfaces, canvas);
  const stream = canvas.captureStream(30);
  const recorder = new MediaRecorder(stream, { mimeType: kind, videoBitsPerSecond: 8_000_000 });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = (event) => void (event.data.size > 0 && parts.push(event.data));
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const started = performance.now();
  for (;;) {
    const along = Math.min((performance.now() - started) / (seconds * 1000), 1);
    if (signal.aborted || room.session !== session) break;
    space.stand({ ...before, azimuth: wrap(before.azimuth + 360 * along) });
    room.stage.render();
    paintViewport(room, frames.surfaces, canvas);
    say(interpolate(gettext("Recording {share}"), { share: percent(along) }));
    if (along >= 1) break;
    await new Promise(requestAnimationFrame);
  }
  recorder.stop();
  await ended;
  stream.getTracks().forEach((track) => track.stop());
  say("");
  if (room.session === session) space.stand(before);
  if (!signal.aborted && parts.length > 0) save(new Blob(parts, { type: kind }), fileName(room, "turntable", kind.startsWith("video/mp4") ? ".mp4" : ".webm"));
}
