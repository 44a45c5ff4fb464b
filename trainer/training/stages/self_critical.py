"""Trains the captioner on CIDEr-D: self-critical sequence training (Rennie et al. 2017).

The baseline of each drawn sentence is the mean reward of the image's other drawn sentences (Luo 2020), so no greedy
pass is needed. Dimensions: B images, R sentences drawn an image, T tokens, N cells, D numbers a cell, V words.
"""

from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from contract.vocabulary import END, PAD, START, UNKNOWN, Vocabulary
from trainer import distribution
from trainer.data.prepare import Prepared
from trainer.distribution import SINGLE_REPLICA, Replicas
from trainer.metrics import CiderD
from trainer.models import decoder
from trainer.recipe.recipe import Recipe, SelfCritical
from trainer.recipe.run_dir import RunDir
from trainer.training import checkpoint
from trainer.training.caption_batches import CaptionBatches, CaptionFeatures
from trainer.training.stage import Context, Stage
from trainer.training.stages import captioner


class SelfCriticalBatches(CaptionBatches):
    """Caption batches whose targets come with the images' row numbers [B], by which sentences are judged."""

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        (cells, tokens), targets = super().__getitem__(index)
        size = self.recipe.training.batch_size
        rows = self.rows[index * size : (index + 1) * size]
        return (cells, tokens), (targets, rows)


class Reward:
    """CIDEr-D of drawn sentences against the sentences of their image."""

    def __init__(self, cached: CaptionFeatures, vocabulary: Vocabulary) -> None:
        self.references = [example.sentences for example in cached.examples]
        self.cider = CiderD(self.references)
        self.vocabulary = vocabulary

    def advantage(self, rows: npt.NDArray[np.int64], drawn: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Return how much better each sentence is than its image's others: rows [B], drawn [B, R, T] -> [B, R]."""
        rewards = np.array(
            [
                [
                    self.cider.score([*self.vocabulary.decode(tokens.tolist()), "</s>"], self._ended(row))
                    for tokens in group
                ]
                for row, group in zip(rows, drawn, strict=True)
            ],
            np.float32,
        )
        count = rewards.shape[1]
        advantage: npt.NDArray[np.float32] = (rewards - rewards.mean(1, keepdims=True)) * count / (count - 1)
        return advantage

    def _ended(self, row: int) -> list[tuple[str, ...]]:
        return [(*sentence, "</s>") for sentence in self.references[row]]


class SelfCriticalModel(distribution.Model):
    """Wraps the decoder with the training step of the method."""

    def __init__(self, inner: decoder.Decoder, reward: Reward, recipe: Recipe) -> None:
        super().__init__(name="self_critical")
        self.inner, self.reward, self.how = inner, reward, recipe.self_critical
        self.length = recipe.decoder.max_tokens
        self.likelihood = decoder.masked_loss(0.0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Teacher forcing, as the decoder does it."""
        return self.inner(inputs, training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Sample captions, score them, and raise the probability of the better ones."""
        (cells, tokens), (targets, rows) = data
        drawn = draw(self.inner, cells, self.how.samples, self.length)
        advantage = tf.numpy_function(self.reward.advantage, [rows, drawn], tf.float32)
        advantage = tf.ensure_shape(advantage, [None, self.how.samples])
        inputs = tf.pad(drawn[:, :, :-1], [[0, 0], [0, 0], [1, 0]], constant_values=START)
        spoken = tf.concat([inputs, tokens], 1)
        with tf.GradientTape() as tape:
            odds = self.inner((cells, tf.ensure_shape(spoken, [None, None, self.length])), training=True)
            critic = policy_loss(odds[:, : self.how.samples], drawn, advantage)
            likelihood = self.likelihood(targets, odds[:, self.how.samples :])
            loss = self.optimizer.scale_loss(critic + self.how.likelihood_weight * likelihood)
        self.optimizer.apply(tape.gradient(loss, self.inner.trainable_variables), self.inner.trainable_variables)
        judged = distribution.share_of_mean(tf.reduce_sum(tf.abs(advantage)), tf.cast(tf.size(advantage), tf.float32))
        return distribution.reported({"policy": critic, "likelihood": likelihood, "advantage": judged})


def policy_loss(odds: Any, drawn: Any, advantage: Any) -> Any:
    """Return REINFORCE's loss: odds [B, R, T, V] of drawn tokens [B, R, T] weighed by advantage [B, R]."""
    mask = tf.cast(drawn != PAD, odds.dtype)
    log_probs = tf.gather(tf.nn.log_softmax(odds), drawn, axis=-1, batch_dims=3)
    return -distribution.share_of_mean(tf.reduce_sum(log_probs * mask * advantage[..., None]), tf.reduce_sum(mask))


def draw(model: decoder.Decoder, cells: Any, samples: int, length: int) -> Any:
    """Draw sentences from the captioner: cells [B, N, D] -> tokens int32 [B, R, T], PAD after END."""
    keys, values, state = model.look(tf.cast(cells, model.compute_dtype))
    state = tf.repeat(state[:, None], samples, 1)
    token = tf.fill([tf.shape(cells)[0], samples], START)
    ended = tf.zeros_like(token, tf.bool)
    never = tf.one_hot([PAD, START, UNKNOWN], model.words, on_value=-1e9, off_value=0.0)
    forbidden = tf.reduce_sum(never, 0)
    drawn = []
    for _ in range(length):
        embedded = model.embedding(token)
        context, state, _ = model.step(model.token_gates(embedded), state, keys, values)
        odds = model.say(state, context, embedded) + forbidden
        token = tf.reshape(tf.random.categorical(tf.reshape(odds, [-1, model.words]), 1, tf.int32), tf.shape(ended))
        token = tf.where(ended, PAD, token)
        drawn.append(token)
        ended |= token == END
    return tf.stack(drawn, 2)


def train(recipe: Recipe, prepared: Prepared, run: RunDir, replicas: Replicas = SINGLE_REPLICA) -> None:
    """Train the best captioner of maximum likelihood further; a killed run goes on at its last whole epoch."""
    replicas.check(recipe.self_critical.batch_size, "self_critical.batch_size")
    keras.utils.set_random_seed(recipe.seed)
    train_set, val_set = replicas.chief_first(lambda: captioner.load_features(recipe, prepared, run))
    batches = SelfCriticalBatches(train_set, prepared.vocabulary, _as_batches(recipe), shuffled=True)
    with replicas.scope(), captioner.precision(recipe.training):
        inner = captioner.load_from(recipe, prepared.vocabulary, train_set.maps[0].shape[-1], run.base_captioner)
        model = SelfCriticalModel(inner, Reward(train_set, prepared.vocabulary), recipe)
        model.compile(optimizer=_optimizer(recipe.self_critical, len(batches)))
        model(batches[0][0])
    measure = captioner.scorer(inner, val_set, prepared.vocabulary, recipe)
    keep = checkpoint.KeepBest(run.tuned, measure, monitor="cider", patience=recipe.training.patience, saved=inner)
    before = checkpoint.read_best(run.joint if run.joint.exists() else run.captioner)
    if keep.best is None and before is not None:
        keep.best = checkpoint.Best(-1, before.metrics["cider"], before.metrics)  # no better than before is not kept
    checkpoint.fit(model, batches, run, "self-critical", keep, epochs=recipe.self_critical.epochs, replicas=replicas)


def _as_batches(recipe: Recipe) -> Recipe:
    """Return the recipe with this stage's batch size, and one true sentence an image."""
    training = {"batch_size": recipe.self_critical.batch_size, "captions_per_image": 1}
    return captioner.changed(recipe, training=training)


def _optimizer(how: SelfCritical, steps: int) -> Any:
    rate = keras.optimizers.schedules.CosineDecay(how.learning_rate, max(1, steps * how.epochs), alpha=0.1)
    return distribution.of_whole_batch(keras.optimizers.Adam)(
        rate, global_clipnorm=1.0, use_ema=True, ema_momentum=0.995
    )


def _is_done(context: Context) -> bool:
    epochs, run = context.recipe.self_critical.epochs, context.run
    return checkpoint.is_finished(run, "self-critical", run.tuned, epochs, context.recipe.training.patience)


STAGE: Final = Stage(
    name="self-critical",
    needs=("captioner", "finetuning"),
    is_wanted=lambda context: context.recipe.self_critical.epochs > 0,
    is_done=_is_done,
    run=lambda context: train(context.recipe, context.prepared, context.run, context.replicas),
    is_shared=True,
)
