"""ONNX Runtime on the processor, in f32: a second opinion from an engine of another make.

Its threads do not spin while they wait for the next strip: on two cores that time belongs to the camera and the event
loop.
"""

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from models.engines.engine import Engine, answer_of
from models.engines.network import BundleNetwork, Ports
from models.engines.processor import instruction_set, usable_cores
from station.core.errors import ModelError
from station.core.part import Answer, EngineIdentity, Pixels
from station.core.settings import ModelSettings

PROVIDERS = ("CPUExecutionProvider",)
ERRORS_ONLY = 3
"""Log severity; ONNX Runtime writes to standard error by itself."""

FAILURES = (
    ort_errors.EPFail,
    ort_errors.EngineError,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
"""What ONNX Runtime raises; its errors have no base of their own."""


class OnnxRuntimeEngine(Engine):
    """A network of a bundle on ONNX Runtime.

    Args:
        network: What to run.
        settings: Threads; pinning is not offered here.

    Raises:
        ModelError: The file is not the one that the manifest names, or ONNX Runtime cannot run the network.
    """

    def __init__(self, network: BundleNetwork, settings: ModelSettings) -> None:
        (graph,) = network.read("onnx")
        try:
            self._session = ort.InferenceSession(graph, session_options(settings.threads), providers=list(PROVIDERS))
        except FAILURES as error:
            raise ModelError("model.engine_failed", f"{network.name}: {error}") from error
        _check_ports(self._session, network.ports)
        self._patches = np.zeros(network.ports.taken, np.uint8)
        self._feed = {self._session.get_inputs()[0].name: self._patches}
        super().__init__(network, EngineIdentity("onnxruntime", ort.__version__, "f32", instruction_set()))

    def _compute(self, patches: Pixels) -> Answer:
        np.copyto(self._patches, patches)
        try:
            answers = self._session.run(None, self._feed)
        except FAILURES as error:
            raise ModelError("model.engine_failed", str(error)) from error
        return answer_of([np.asarray(answer, np.float32) for answer in answers])


def session_options(threads: int) -> ort.SessionOptions:
    """How a network runs: with so many threads, 0 for one a core, that do not spin."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or usable_cores()
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _check_ports(session: ort.InferenceSession, ports: Ports) -> None:
    found = [(port.type, tuple(port.shape)) for port in (*session.get_inputs(), *session.get_outputs())]
    wanted = [("tensor(uint8)", ports.taken), *(("tensor(float)", shape) for shape in ports.answered)]
    if found != wanted:
        raise ModelError("model.bad_manifest", f"the graph's ports are {found}, not {wanted}")
