"""The door to the interpreter."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edge.infer import runtime
from edge.infer.captioner import Captioner


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


IDLE_DELEGATE = r"""
#include <stdint.h>
#include <stdlib.h>
/* The fields of TfLiteDelegate (tensorflow/lite/core/c/common.h): it takes no operation on, and so changes nothing. */
struct delegate { void *data; int (*prepare)(void *, void *); void *copy[3]; int64_t flags; void *builder; };
static int prepare(void *context, void *self) { return 0; }
void *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
  if (getenv("REFUSE_DELEGATE")) { report("no such device"); return 0; }
  struct delegate *made = calloc(1, sizeof(struct delegate));
  made->prepare = prepare;
  return made;
}
void tflite_plugin_destroy_delegate(void *made) { free(made); }
"""


@pytest.fixture(scope="module")
def delegate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delegate that is there and does nothing."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler is installed: apt-get install gcc")
    folder = tmp_path_factory.mktemp("delegate")
    (folder / "delegate.c").write_text(IDLE_DELEGATE, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "idle.so", "delegate.c"], check=True, cwd=folder)
    return folder / "idle.so"


def answers(tiny: Path, by: runtime.Acceleration | None) -> tuple[bool, bytes]:
    path = tiny / "encoder.tflite"
    model = runtime.Model(path, path.read_bytes(), 1, by)
    picture = np.full((1, 96, 96, 3), 77, np.uint8)
    return model.accelerated, model.run(image=picture)["cells"].tobytes()


def test_a_delegate_that_can_be_used_is(tiny: Path, delegate: Path) -> None:
    by = runtime.Acceleration(str(delegate), frozenset({"encoder"}), {"device": "usb"})

    assert answers(tiny, by) == (True, answers(tiny, None)[1])


@pytest.mark.parametrize("library", ["none.so", "libc.so.6"], ids=["no such library", "no delegate"])
def test_without_the_delegate_the_processor_answers_and_a_warning_says_so(
    tiny: Path, library: str, caplog: pytest.LogCaptureFixture
) -> None:
    by = runtime.Acceleration(library, frozenset({"encoder"}))

    assert answers(tiny, by) == (False, answers(tiny, None)[1])
    assert [record.message for record in caplog.records] == ["delegate not used"]


def test_a_delegate_without_its_device_is_not_used(
    tiny: Path, delegate: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("REFUSE_DELEGATE", "yes")

    assert answers(tiny, runtime.Acceleration(str(delegate), frozenset({"encoder"})))[0] is False
    assert "no such device" in caplog.records[0].__dict__["reason"]


def test_a_delegate_is_for_the_models_that_are_named(tiny: Path, delegate: Path) -> None:
    by = runtime.Acceleration(str(delegate), frozenset({"encoder", "detector"}))

    assert Captioner.open(tiny, acceleration=by).accelerated == ("encoder", "detector")
    assert Captioner.open(tiny).accelerated == ()
