"""The caption decoder: a GRU (Cho et al. 2014) with soft attention (Bahdanau et al. 2015; Xu et al. 2015).

Dimensions: B images, R sentences an image, T tokens, N cells, D numbers a cell, K attention, C context, S state,
E embedding, V words.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from contract.vocabulary import PAD
from trainer import distribution
from trainer.recipe.recipe import Decoder as Sizes


@keras.saving.register_keras_serializable("wordcam")
class Decoder(distribution.Model):
    """Log-odds of each next word, from the image's cells and the words so far."""

    def __init__(self, words: int, sizes: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words, self.sizes = words, sizes
        sized = Sizes(**sizes)
        self.state_size = sized.state
        self.norm = layers.LayerNormalization(name="norm")
        self.keys = layers.Dense(sized.attention, name="keys")
        self.values = layers.Dense(sized.context, name="values")
        self.first = layers.Dense(sized.state, activation="tanh", name="first")
        self.embedding = layers.Embedding(words, sized.embedding, name="embedding")
        self.query = layers.Dense(sized.attention, use_bias=False, name="query")
        self.relevance = layers.Dense(1, use_bias=False, name="relevance")
        self.focus = layers.Dense(sized.context, activation="sigmoid", name="focus")
        self.token_gates = layers.Dense(3 * sized.state, name="token_gates")
        self.context_gates = layers.Dense(3 * sized.state, use_bias=False, name="context_gates")
        self.state_gates = layers.Dense(3 * sized.state, kernel_initializer="orthogonal", name="state_gates")
        self.spoken = layers.Dense(sized.embedding, name="spoken")
        self.dropout = layers.Dropout(sized.dropout)
        self.bias = self.add_weight(shape=(words,), initializer="zeros", name="bias")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, for Keras."""
        return {**super().get_config(), "words": self.words, "sizes": self.sizes}

    def look(self, cells: tf.Tensor, *, training: bool = False) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Prepare an image: cells [B, N, D] -> keys [B, N, K], values [B, N, C], first state [B, S]."""
        cells = self.norm(cells)
        state = self.first(tf.reduce_mean(cells, 1))
        values = self.dropout(self.values(cells), training=training)
        return self.keys(cells), values, state

    def step(
        self, token_gates: tf.Tensor, state: tf.Tensor, keys: tf.Tensor, values: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Advance by one token.

        token_gates [B, R, 3S], state [B, R, S], keys [B, N, K], values [B, N, C]
        -> context [B, R, C], next state [B, R, S], attention [B, R, N].
        """
        scores = self.relevance(tf.tanh(keys[:, None] + self.query(state)[:, :, None]))[..., 0]
        attention = tf.nn.softmax(tf.cast(scores, tf.float32))
        context = self.focus(state) * tf.matmul(tf.cast(attention, values.dtype), values)
        update, reset, candidate = tf.split(token_gates + self.context_gates(context), 3, -1)
        old_update, old_reset, old_candidate = tf.split(self.state_gates(state), 3, -1)
        update, reset = tf.sigmoid(update + old_update), tf.sigmoid(reset + old_reset)
        proposed = tf.tanh(candidate + reset * old_candidate)
        return context, update * state + (1 - update) * proposed, attention

    def say(self, state: tf.Tensor, context: tf.Tensor, embedded: tf.Tensor, *, training: bool = False) -> tf.Tensor:
        """Return log-odds float32 [..., V] of the next word; output and embedding are tied (Press and Wolf 2017)."""
        spoken = self.spoken(tf.concat([state, context, embedded], -1))
        spoken = self.dropout(tf.tanh(spoken), training=training)
        weights = tf.cast(self.embedding.embeddings, spoken.dtype)
        # Not matmul: TensorFlow 2.21's oneDNN kernel writes out of bounds where a [V, E] matrix meets four dimensions.
        return tf.cast(tf.tensordot(spoken, weights, [[-1], [1]]) + tf.cast(self.bias, spoken.dtype), tf.float32)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Teacher forcing: cells [B, N, D] and tokens int32 [B, R, T] -> log-odds [B, R, T, V] of each next word."""
        cells, tokens = inputs
        keys, values, state = self.look(tf.cast(cells, self.compute_dtype), training=training)
        embedded = self.dropout(self.embedding(tokens), training=training)
        gates = self.token_gates(embedded)
        state = tf.repeat(state[:, None], tf.shape(tokens)[1], 1)
        states, contexts = [], []
        for at in range(tokens.shape[2]):
            context, state, _ = self.step(gates[:, :, at], state, keys, values)
            states.append(state)
            contexts.append(context)
        return self.say(tf.stack(states, 2), tf.stack(contexts, 2), embedded, training=training)


def masked_loss(label_smoothing: float) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return the mean cross-entropy over the whole batch's tokens: targets [B, R, T], log-odds [B, R, T, V]."""

    def loss(targets: tf.Tensor, odds: tf.Tensor) -> tf.Tensor:
        mask = tf.cast(targets != PAD, odds.dtype)
        log_probs = tf.nn.log_softmax(odds)
        right = tf.gather(log_probs, tf.cast(targets, tf.int32), axis=-1, batch_dims=3)
        smooth = tf.reduce_mean(log_probs, -1)
        each = -((1 - label_smoothing) * right + label_smoothing * smooth)
        return distribution.share_of_mean(tf.reduce_sum(each * mask), tf.reduce_sum(mask))

    return loss
