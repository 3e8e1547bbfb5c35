// What pages say of a camera's state and of what keeps it from naming people.
export const STATES = {
  connecting: "camera.state.connecting",
  running: "camera.state.running",
  reconnecting: "camera.state.reconnecting",
  stopped: "camera.state.stopped",
  failed: "camera.state.failed",
};

export const PROBLEMS = {
  too_slow: "camera.problem.too_slow",
  turned: "camera.problem.turned",
};

// Why a camera gives no picture, without its address, which stands beside it.
export const withoutAddress = (reason) => reason.replace(/^camera \S+: /, "");
