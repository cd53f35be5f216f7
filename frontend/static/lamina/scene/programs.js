// Shaders on their way. The card makes a program beside the page, but whoever draws with one that is not ready, or asks
// anything of the card while it is busy, stands still until it is: seconds, where the processor draws. So the programs
// of a picture are begun first, and the picture is drawn when they are there.

/** @import { Camera, Material, Scene, WebGLRenderer, WebGLRenderTarget } from "three" */

/**
 * Something that is drawn with materials of its own.
 * @typedef {object} Part
 * @property {Scene} scene @property {Camera} camera
 * @property {boolean} [aside]  drawn into a texture: other programs than those for the canvas
 */

/** ms between two looks at what the card has ready. */
const LOOK = 6;
/** Looks that may find the card busy with a newer picture. */
const PATIENCE = 12;
/** ms at least for a driver that does not say when a program is ready: processors that draw, mostly. */
const HEAD_START = 80;

export class Programs {
  /** @param {WebGLRenderer} renderer @param {WebGLRenderTarget} aside  stands for every texture that is drawn into */
  constructor(renderer, aside) {
    this.renderer = renderer;
    this.aside = aside;
    /** Materials whose program is there, for the canvas and for textures. */
    this.ready = [new WeakSet(), new WeakSet()];
    /** Programs that were asked what they need. @type {WeakSet<object>} */
    this.known = new WeakSet();
    /** Whose picture waits, and what is called when it need not wait any more. @type {Map<object, () => void>} */
    this.waiting = new Map();
    /** Begun and not there yet, for the canvas and for textures. @type {Map<Material, any>[]} */
    this.begun = [new Map(), new Map()];
    this.timer = 0;
    /** @type {WebGLSync | null} */
    this.fence = null;
    /** Pictures drawn when the fence was raised. */
    this.drawn = 0;
    this.raised = 0;
    this.notBefore = 0;
    this.patience = PATIENCE;
    /** A card that says when a program is ready makes several at once; else one picture's after the other: the first slice must not wait for the 3D. */
    this.atOnce = renderer.extensions.has("KHR_parallel_shader_compile");
  }

  /**
   * May this be drawn without waiting? If not, its programs are begun and `then` is called once they are there.
   * @param {object} who  one waits at most once @param {Part[]} parts @param {() => void} then @returns {boolean}
   */
  has(who, parts, then) {
    const missing = parts.flatMap((part) => this.missing(part));
    if (missing.length === 0) {
      this.waiting.delete(who);
      return true;
    }
    this.waiting.set(who, then);
    if (!this.timer) this.timer = window.setTimeout(this.look, LOOK);
    return false;
  }

  /** Materials of a part whose programs are not there; they are begun as soon as it is their turn. @param {Part} part @returns {Material[]} */
  missing(part) {
    const at = part.aside ? 1 : 0;
    /** @type {Set<Material>} */
    const missing = new Set();
    part.scene.traverseVisible((/** @type {any} */ { material }) => {
      if (material && !this.ready[at].has(material)) missing.add(material);
    });
    const mayBegin = this.atOnce || this.begun.every((begun) => begun.size === 0);
    if (mayBegin && [...missing].some((material) => !this.begun[at].has(material))) this.begin(part, at, missing);
    return [...missing].filter((material) => !this.ready[at].has(material));
  }

  /** @param {Part} part @param {number} at @param {Set<Material>} missing */
  begin({ scene, camera }, at, missing) {
    const { renderer } = this;
    const before = renderer.getRenderTarget();
    renderer.setRenderTarget(at ? this.aside : null);
    renderer.compile(scene, camera);
    for (const material of missing) {
      const program = this.programOf(material);
      // Another material brought the same program before.
      if (program && this.known.has(program)) this.ready[at].add(material);
      else this.begun[at].set(material, program);
    }
    renderer.setRenderTarget(before);
    if (this.begun[at].size === 0) return;
    this.raiseFence();
    this.notBefore = performance.now() + this.headStart(0);
  }

  /** The card says when it has done everything it was told up to here. */
  raiseFence() {
    const gl = /** @type {WebGL2RenderingContext} */ (this.renderer.getContext());
    if (this.fence) gl.deleteSync(this.fence);
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    this.drawn = this.renderer.info.render.frame;
    this.raised = performance.now();
    gl.flush();
  }

  /** Has the card come to the fence, and was nothing drawn since? Asking does not wait. */
  idle() {
    const gl = /** @type {WebGL2RenderingContext} */ (this.renderer.getContext());
    if (!this.fence || gl.isContextLost()) return true;
    const now = performance.now();
    if (gl.getSyncParameter(this.fence, gl.SYNC_STATUS) !== gl.SIGNALED) {
      this.notBefore = now + this.headStart(now - this.raised);
      return false;
    }
    if (now < this.notBefore) return false;
    // Something is drawn all the time while slices arrive: then after so many looks this has to do.
    const still = this.drawn === this.renderer.info.render.frame || (this.patience -= 1) < 0;
    if (!still) this.raiseFence();
    return still;
  }

  /** @param {Material} material @returns {any} */
  programOf(material) {
    return /** @type {any} */ (this.renderer.properties.get(material)).currentProgram;
  }

  /** What has become ready meanwhile? */
  look = () => {
    this.timer = 0;
    // The first that can be drawn is drawn: a slice does not wait for the 3D.
    if (this.idle() && this.resolve()) this.tell();
    if (this.begun.some((begun) => begun.size > 0)) {
      this.timer = window.setTimeout(this.look, LOOK);
      return;
    }
    this.patience = PATIENCE;
    this.notBefore = 0;
    this.tell();
  };

  /**
   * One program that is there is asked what it needs: now, because within a picture this would wait for all before it.
   * @returns {boolean}  there was one
   */
  resolve() {
    for (const [at, begun] of this.begun.entries()) {
      for (const [material, program] of begun) {
        // Disposed or made anew meanwhile: whoever still wants it asks again.
        const gone = !program || this.programOf(material) !== program;
        if (!gone && !program.isReady()) continue;
        begun.delete(material);
        if (gone) continue;
        this.ready[at].add(material);
        if (this.known.has(program)) continue;
        this.known.add(program);
        program.getUniforms();
        program.getAttributes();
        return true;
      }
    }
    return false;
  }

  /** ms more for a driver that does not say when a program is ready, the more the busier it is. @param {number} took  ms to the fence */
  headStart(took) {
    return this.renderer.extensions.has("KHR_parallel_shader_compile") ? 0 : Math.min(Math.max(took, HEAD_START), 10 * HEAD_START);
  }

  /** Whoever waited draws now. */
  tell() {
    const waited = [...this.waiting.values()];
    this.waiting.clear();
    for (const then of waited) then();
  }

  /** The card lost everything. */
  forget() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.fence = null;
    for (const begun of this.begun) begun.clear();
    this.ready = [new WeakSet(), new WeakSet()];
    this.tell();
  }

  get busy() {
    return this.waiting.size > 0;
  }

  dispose() {
    clearTimeout(this.timer);
    this.waiting.clear();
    for (const begun of this.begun) begun.clear();
    this.aside.dispose();
  }
}
