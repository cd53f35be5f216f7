// What the server says of one study, kept true by its events. One reducer per event family; each takes the part it
// keeps and an event of the stream, and gives the part back unchanged when the event is not of its family.

/** @typedef {{ stream: string, seq: number, type: string, at: string, payload: any }} StreamEvent */
/**
 * `priors` are other studies of the patient with their series, newest first; `transforms` join frames of reference.
 * @typedef {{ study: any, series: any[], priors: any[], transforms: any[], segmentations: any[], jobs: any[] }} StudyState
 */

/** From GET /api/studies/{id}/. @param {any} answer @returns {StudyState} */
export function studyState(answer) {
  const { series = [], priors = [], transforms = [], segmentations = [], jobs = [], ...study } = answer;
  return { study, series, priors, transforms, segmentations: newestFirst(segmentations), jobs: newestFirst(jobs) };
}

/** @param {StudyState} state @param {{ type: string } & Record<string, any>} action @returns {StudyState} */
export function reduceStudyState(state, action) {
  switch (action.type) {
    case "study.loaded":
      return studyState(action.answer);
    case "segmentation.loaded":
      return with_(state, "segmentations", withSegmentation(state.segmentations, action.segmentation));
    case "segmentation.rows":
      return with_(state, "segmentations", withRows(state.segmentations, action));
    case "job.seen":
      return with_(state, "jobs", withJob(state.jobs, action.job));
    case "event":
      return reduceEvent(state, action.event);
    default:
      return state;
  }
}

/** @param {StudyState} state @param {StreamEvent} event @returns {StudyState} */
export function reduceEvent(state, event) {
  const study = reduceStudyEvent(state.study, event);
  const series = reduceSeriesEvent(state.series, event);
  const transforms = reduceTransformEvent(state.transforms, event);
  const segmentations = reduceSegmentationEvent(state.segmentations, event);
  const jobs = reduceJobEvent(state.jobs, event);
  const following = { ...state, study, series, transforms, segmentations, jobs };
  const same = /** @type {(keyof StudyState)[]} */ (Object.keys(following)).every((name) => following[name] === state[name]);
  return same ? state : following;
}

/** study.changed, study.binned, study.restored, study.erased. @param {any} study @param {StreamEvent} event */
export function reduceStudyEvent(study, { type, payload }) {
  switch (type) {
    case "study.changed": {
      // The parts below have their own events; a row inside this one would be older than they are.
      const { series, priors, transforms, segmentations, jobs, ...row } = payload.study ?? {};
      return { ...study, ...row };
    }
    case "study.binned":
      return { ...study, state: "binned" };
    case "study.restored":
      return { ...study, state: "active" };
    case "study.erased":
      return { ...study, state: "erased" };
    default:
      return study;
  }
}

/** series.imported. @param {any[]} list @param {StreamEvent} event */
export function reduceSeriesEvent(list, { type, payload }) {
  if (type !== "series.imported" || !payload.series?.id) return list;
  return [...list.filter((series) => series.id !== payload.series.id), payload.series];
}

/** transform.added, transform.removed; newest first. @param {any[]} list @param {StreamEvent} event */
export function reduceTransformEvent(list, { type, payload }) {
  if (type === "transform.added") return [payload.transform, ...list.filter(({ id }) => id !== payload.transform.id)];
  return type === "transform.removed" ? list.filter(({ id }) => id !== payload.transform_id) : list;
}

/** segmentation.ready, segmentation.damaged, segmentation.edited, surface.remade. @param {any[]} list @param {StreamEvent} event */
export function reduceSegmentationEvent(list, { type, payload }) {
  if (type === "segmentation.edited") return withRows(list, { ...payload, seq: payload.operation.seq });
  if (type === "surface.remade") return withSurfaces(list, payload);
  if (type === "segmentation.damaged") {
    return list.map((one) => (one.id === payload.segmentation_id ? { ...one, damaged: [...new Set([...(one.damaged ?? []), payload.artefact])] } : one));
  }
  if (type !== "segmentation.ready" || !payload.segmentation?.segments) return list;
  return withSegmentation(list, payload.segmentation);
}

/** job.queued, started, requeued, succeeded, failed, cancelled. @param {any[]} list @param {StreamEvent} event */
export function reduceJobEvent(list, { type, at, payload }) {
  if (type === "job.queued") return withJob(list, payload.job);
  if (!type.startsWith("job.")) return list;
  const job = list.find((one) => one.id === payload.job_id);
  if (!job) return list;
  switch (type) {
    case "job.started":
      return withJob(list, {
        ...job, state: "running", attempt: payload.attempt, worker: payload.worker, device: payload.device,
        place: null, started_at: job.started_at ?? at, can_retry: false,
      });
    case "job.requeued":
      return withJob(list, { ...job, state: "queued", attempt: payload.attempt, phase: "", fraction: 0, seconds_left: null, detail: "" });
    case "job.succeeded":
      return withJob(list, { ...job, ...ENDED, state: "succeeded", fraction: 1, result: payload.result, finished_at: at });
    case "job.failed":
      return withJob(list, { ...job, ...ENDED, state: "failed", error: payload.error, finished_at: at, can_retry: true });
    case "job.cancelled":
      return withJob(list, { ...job, ...ENDED, state: "cancelled", finished_at: at, can_retry: true });
    default:
      return list;
  }
}

const ENDED = Object.freeze({ place: null, seconds_left: null, can_cancel: false });
/** @type {Readonly<Record<string, number>>} */
const RANK = Object.freeze({ queued: 0, running: 1, succeeded: 2, failed: 2, cancelled: 2 });

/**
 * Put a job in, unless we already know more: progress is sent beside the numbered events and may overtake them,
 * but a job that has ended never runs again (a retry is a new job).
 * @param {any[]} list @param {any} job
 */
export function withJob(list, job) {
  if (!job?.id) return list;
  const at = list.findIndex((one) => one.id === job.id);
  if (at < 0) return newestFirst([...list, job]);
  if (RANK[list[at].state] === 2 && RANK[job.state] !== 2) return list;
  const following = list.slice();
  following[at] = { ...list[at], ...job };
  return following;
}

/** @param {any[]} list @param {any} segmentation */
const withSegmentation = (list, segmentation) =>
  newestFirst([...list.filter((one) => one.id !== segmentation.id), segmentation]);

/**
 * Rows of segments as an operation left them. The same operation is told twice (answer and event), in either order:
 * a row never goes back to an older operation.
 * @param {any[]} list @param {any} change  { segmentation_id, seq, segments: rows, removed: numbers }
 */
export const withRows = (list, { segmentation_id, seq, segments = [], removed = [] }) =>
  list.map((one) => {
    if (one.id !== segmentation_id) return one;
    const known = new Map(one.segments.map((/** @type {any} */ segment) => [segment.number, segment]));
    for (const row of segments) {
      const before = known.get(row.number);
      if (before && (before.row_seq ?? 0) > seq) continue;
      const newer = before && (before.surface_seq ?? 0) > (row.surface_seq ?? 0) ? surfaceOf(before) : {};
      known.set(row.number, { ...row, ...newer, row_seq: seq });
    }
    for (const number of removed) if ((known.get(number)?.row_seq ?? 0) <= seq) known.delete(number);
    return { ...one, seq: Math.max(one.seq ?? 0, seq), segments: inOrder([...known.values()]) };
  });

/** What belongs to a segment's surface, not to its voxels. @param {any} row */
const surfaceOf = ({ surface_url, surface_seq, triangles, centroid_mm, bounds_mm, node }) => ({ surface_url, surface_seq, triangles, centroid_mm, bounds_mm, node });

/** @param {any[]} list @param {any} change */
const withSurfaces = (list, { segmentation_id, segments = [] }) =>
  list.map((one) => (one.id !== segmentation_id ? one : {
    ...one,
    segments: one.segments.map((/** @type {any} */ segment) => {
      const row = segments.find((/** @type {any} */ made) => made.number === segment.number);
      return row && (row.surface_seq ?? 0) >= (segment.surface_seq ?? 0) ? { ...segment, ...surfaceOf(row) } : segment;
    }),
  }));

/** @param {any[]} segments */
const inOrder = (segments) => segments.slice().sort((a, b) => (a.place ?? a.number) - (b.place ?? b.number));

/** @param {any[]} list */
const newestFirst = (list) =>
  list.slice().sort((a, b) => (a.created_at === b.created_at ? 0 : (a.created_at ?? "") < (b.created_at ?? "") ? 1 : -1));

/** @param {StudyState} state @param {keyof StudyState} name @param {any[]} list @returns {StudyState} */
const with_ = (state, name, list) => (list === state[name] ? state : { ...state, [name]: list });

/**
 * The series a study opens with: a volume with a result, else a volume, else the first.
 * @param {{ series?: any[], segmentations?: any[] }} answer  of GET /api/studies/{id}/
 */
export function openingSeries({ series = [], segmentations = [] }) {
  const volumes = series.filter((one) => one.volume);
  return volumes.find((one) => segmentations.some((result) => result.series_id === one.id)) ?? volumes[0] ?? series[0];
}

// --- questions to the state --------------------------------------------------------------------------------------

/** The newest job that is still of interest: waiting, running, or the last one when it failed. @param {StudyState} state */
export function shownJobs(state) {
  const live = state.jobs.filter((job) => job.kind === "reconstruction" && RANK[job.state] < 2);
  if (live.length > 0) return live;
  const last = state.jobs.find((job) => job.kind === "reconstruction");
  return last && (last.state === "failed" || last.state === "cancelled") ? [last] : [];
}

/** Segmentations of one series, newest first. @param {StudyState} state @param {string} seriesId */
export const segmentationsOf = (state, seriesId) => state.segmentations.filter((one) => one.series_id === seriesId);
