"""The door to the interpreter."""

from pathlib import Path

import numpy as np
import pytest

from edge.infer import runtime


def test_inputs_and_outputs_have_the_signatures_names(tiny: Path) -> None:
    model = runtime.load(tiny / "decoder_step.tflite")

    assert set(model.inputs) == {"tokens", "state", "keys", "values"}
    assert set(model.outputs) == {"log_probs", "next_state", "attention"}
    assert model.inputs["tokens"].dtype == np.int32


def test_an_input_keeps_its_value_over_runs(tiny: Path) -> None:
    model = runtime.load(tiny / "decoder_step.tflite")
    draw = np.random.default_rng(0)
    given = {
        name: draw.normal(0, 1, tensor.shape).astype(np.float32)
        for name, tensor in model.inputs.items()
        if name != "tokens"
    }

    first = model.run(tokens=np.array([1, 1, 1], np.int32), **given)
    for _ in range(3):
        model.run(tokens=np.array([4, 5, 6], np.int32))
    again = model.run(tokens=np.array([1, 1, 1], np.int32))

    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_an_output_is_not_changed_by_the_next_run(tiny: Path) -> None:
    model = runtime.load(tiny / "encoder.tflite")
    shape = model.inputs["image"].shape
    before = model.run(image=np.zeros(shape, np.uint8))["cells"]
    kept = before.copy()

    model.run(image=np.full(shape, 255, np.uint8))

    assert np.array_equal(before, kept)


def test_time_inside_the_interpreter_is_counted(tiny: Path) -> None:
    model = runtime.load(tiny / "encoder.tflite")
    assert model.invoke_seconds == 0

    model.run(image=np.zeros(model.inputs["image"].shape, np.uint8))

    assert model.invoke_seconds > 0


def test_a_wrong_shape_is_named(tiny: Path) -> None:
    model = runtime.load(tiny / "encoder.tflite")

    with pytest.raises(runtime.NotAModel, match=r"encoder\.tflite: input image \(1, 5, 5, 3\) is not one of"):
        model.set("image", np.zeros((1, 5, 5, 3), np.uint8))
    with pytest.raises(runtime.NotAModel, match="input picture"):
        model.set("picture", np.zeros((1, 5, 5, 3), np.uint8))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(runtime.NotAModel, match=r"none\.tflite: "):
        runtime.load(tmp_path / "none.tflite")


def test_an_unknown_runtime_is_refused(monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    monkeypatch.setenv("WORDCAM_TFLITE", "onnx")

    with pytest.raises(runtime.NoRuntime, match="WORDCAM_TFLITE is 'onnx'; use litert or tflite-runtime"):
        runtime.load(tiny / "encoder.tflite")


def test_loading_says_nothing_on_stderr(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    runtime.load(tiny / "encoder.tflite")

    assert capfd.readouterr().err == ""


def test_a_32_bit_system_is_told_that_it_needs_a_64_bit_one() -> None:
    assert "install a 64-bit system" in runtime.how_to_install(2**31 - 1)
    assert runtime.how_to_install(2**63 - 1) == "pip install 'wordcam[edge]'"
