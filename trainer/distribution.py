"""Distributes a training over several GPUs or machines without changing its result.

A batch stays the recipe's batch: every replica takes an equal share of its images, losses are means over the whole
batch, and gradients are summed before they are clipped. One replica and many therefore take the same steps, as far as
float arithmetic goes. Files are written by the chief alone, in a folder that every worker must see.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar, get_args

import keras
import msgspec
import tensorflow as tf

from trainer.errors import OperatorError, RecipeError

Kind = Literal["none", "mirrored", "workers"]
"""`mirrored`: the GPUs of this machine. `workers`: the machines that TF_CONFIG lists, this being one of them."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

Result = TypeVar("Result")


class Task(msgspec.Struct, frozen=True):
    """Which of the workers this process is."""

    type: Literal["chief", "worker"]
    index: int


class Cluster(msgspec.Struct, frozen=True):
    """What TF_CONFIG holds, as TensorFlow documents it."""

    cluster: dict[str, list[str]]
    """Addresses of all workers by kind: `{"worker": ["host:port", ...]}`."""
    task: Task


@dataclass(frozen=True, slots=True)
class Replicas:
    """The replicas that train together."""

    strategy: Any = None
    """A `tf.distribute.Strategy`, or none for one replica."""
    chief: bool = True
    """Whether this process writes files."""
    workers: int = 1

    @property
    def replicas(self) -> int:
        """How many devices share a batch, over all workers."""
        return int(self.strategy.num_replicas_in_sync) if self.strategy else 1

    def scope(self) -> Any:
        """Build and train inside what is distributed."""
        return self.strategy.scope() if self.strategy else contextlib.nullcontext()

    def check(self, examples: int, field: str) -> None:
        """Raise `RecipeError` where a batch cannot be shared out evenly."""
        if examples % self.replicas:
            right = -(-examples // self.replicas) * self.replicas
            raise RecipeError(f"{field}: {examples} images cannot be shared by {self.replicas} replicas; say {right}")

    def chief_first(self, work: Callable[[], Result]) -> Result:
        """Run what writes files on the chief first, then on the other workers, which find the files."""
        if not self.chief:
            self.wait()
            return work()
        result = work()
        self.wait()
        return result

    def wait(self) -> None:
        """Wait until every worker is here."""
        if self.workers > 1:
            self._from_chief([0.0])

    def agreed(self, measure: Callable[[], dict[str, float]]) -> Callable[[], dict[str, float]]:
        """Return a measure that yields the chief's figures on every worker, so that all decide alike."""
        if self.workers == 1:
            return measure

        def agree() -> dict[str, float]:
            figures = measure()
            return dict(zip(figures, self._from_chief(list(figures.values())), strict=True))

        return agree

    def _from_chief(self, values: list[float]) -> list[float]:
        def of_first() -> Any:
            context = tf.distribute.get_replica_context()
            mine = tf.constant(values, tf.float64)
            asked = mine if context.replica_id_in_sync_group == 0 else tf.zeros_like(mine)
            return context.all_reduce(tf.distribute.ReduceOp.SUM, asked)

        given = tf.function(lambda: self.strategy.run(of_first))()
        return [float(value) for value in self.strategy.experimental_local_results(given)[0]]


SINGLE_REPLICA: Final = Replicas()
"""One replica: TensorFlow's default."""


def find(kind: Kind) -> Replicas:
    """Find the replicas; call it before TensorFlow does anything else. Raises `OperatorError` for a wrong TF_CONFIG."""
    if kind == "none":
        return SINGLE_REPLICA
    if kind == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return Replicas(tf.distribute.MirroredStrategy([device.name for device in devices]))
    cluster = _cluster()
    first = "chief" if "chief" in cluster.cluster else "worker"
    chief = (cluster.task.type, cluster.task.index) == (first, 0)
    return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), chief, sum(map(len, cluster.cluster.values())))


def _cluster() -> Cluster:
    example = json.dumps({"cluster": {"worker": ["host:port"]}, "task": {"type": "worker", "index": 0}})
    try:
        cluster = msgspec.json.decode(os.environ.get("TF_CONFIG", ""), type=Cluster)
    except msgspec.DecodeError as error:
        raise OperatorError(f"TF_CONFIG: {error}; with --distribute workers it must be like {example}") from error
    if not 0 <= cluster.task.index < len(cluster.cluster.get(cluster.task.type, ())):
        raise OperatorError(f"TF_CONFIG: cluster has no {cluster.task.type} {cluster.task.index}, which task names")
    return cluster


@contextlib.contextmanager
def failing_together() -> Iterator[None]:
    """Raise `ConnectionError`, which passes by itself, where another worker is lost."""
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        first = str(error).partition("\n")[0]
        raise ConnectionError(f"another worker is gone ({first[:200]})") from error


class Model(keras.Model):  # type: ignore[misc]  # keras has no stubs
    """A network whose `fit` works with several workers too, where Keras 3.15's own fails (its issue 20585)."""

    def _maybe_symbolic_build(self, *_: Any, **__: Any) -> None:
        """Skip Keras's build by a first batch, which cannot be averaged over workers; our models are built before."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one step."""
        return vectors(super().train_step(data))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure one batch."""
        return vectors(super().test_step(data))


def vectors(logs: dict[str, Any]) -> dict[str, Any]:
    """Return figures with the axis by which Keras averages them over several workers."""
    if not isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
        return logs
    return {name: tf.reshape(value, [1]) for name, value in logs.items()}


def share_of_mean(total: Any, count: Any) -> Any:
    """Return what this replica adds to a mean over the whole batch, from its own total and count.

    It is a loss as Keras wants one: a scalar from a loss function is added up over the replicas, not averaged.
    """
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        count = context.all_reduce(tf.distribute.ReduceOp.SUM, count)
    return total / tf.maximum(count, 1.0)


def reported(shares: dict[str, Any]) -> dict[str, Any]:
    """Turn shares of means into figures that Keras averages over the replicas."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return vectors({name: share * replicas for name, share in shares.items()})


def of_whole_batch(kind: Any) -> Any:
    """Return the class of optimizer that, on several replicas, sees the gradient of the whole batch.

    Keras clips, and looks for overflow, before it sums over replicas; there the sum comes first.
    """
    alone = tf.distribute.get_strategy().num_replicas_in_sync == 1
    return kind if alone else type(kind.__name__, (_SummedFirst, kind), {})


class _SummedFirst:
    """Sums gradients over the replicas before the optimizer does anything."""

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        context = tf.distribute.get_replica_context()
        summed = context.all_reduce(tf.distribute.ReduceOp.SUM, [tf.convert_to_tensor(each) for each in grads])
        equal = [gradient / context.num_replicas_in_sync for gradient in summed]  # Keras sums the replicas' once more
        super().apply(equal, trainable_variables)  # type: ignore[misc]  # mixed into a Keras optimizer
