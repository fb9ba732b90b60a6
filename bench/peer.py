"""Compiles an ONNX file with onnxruntime-qnn, the way its documentation gives for making a context binary ahead of time.

usage: peer.py MODEL.onnx OUT.onnx [provider option=value ...]

The context binary is written beside OUT.onnx. The option dump_json_qnn_graph=1 writes the QNN graph there too.
"""

import os
import sys

import onnxruntime
import onnxruntime_qnn

FOLDER = os.path.dirname(onnxruntime_qnn.__file__)
PROVIDER = "QNNExecutionProvider"


def main(model, out, *options):
    library = os.path.join(FOLDER, "libonnxruntime_providers_qnn.so")
    onnxruntime.register_execution_provider_library(PROVIDER, library)
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER]

    session = onnxruntime.SessionOptions()
    session.add_session_config_entry("ep.context_enable", "1")
    session.add_session_config_entry("ep.context_file_path", out)
    session.add_session_config_entry("ep.context_embed_mode", "0")
    # Without this, nodes that the provider refuses would silently stay out of the context binary.
    session.add_session_config_entry("session.disable_cpu_ep_fallback", "1")

    provider = {
        "backend_path": os.path.join(FOLDER, "libQnnHtp.so"),
        "soc_model": "57",
        "enable_htp_fp16_precision": "1",
    }
    provider.update(option.split("=", 1) for option in options)
    session.add_provider_for_devices(devices[:1], provider)
    onnxruntime.InferenceSession(model, session)


if __name__ == "__main__":
    main(*sys.argv[1:])
