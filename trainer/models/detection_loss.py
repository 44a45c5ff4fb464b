"""Loss of the detector: points are assigned to boxes by how well they already predict them.

Task-aligned assignment after Feng et al. 2021 (TOOD), GIoU after Rezatofighi et al. 2019.
Dimensions: B images, G true boxes (padded), P points, C classes. Boxes are cx, cy, w, h as shares of the frame.
"""

from typing import Final

import tensorflow as tf

ALPHA: Final = 0.5
BETA: Final = 4.0
"""Exponents of score and overlap in the alignment (TOOD uses 1 and 6; small frozen features want more of the score)."""

TOP_POINTS: Final = 9
"""Most points assigned to a box."""

TINY: Final = 1e-7


def loss(truth: tf.Tensor, labelled: tf.Tensor, boxes: tf.Tensor, odds: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Return the loss of a batch, a scalar.

    truth [B, G, 5] (class, or -1 for padding, and box), labelled [B, C] (1 where the source drew this class),
    boxes [B, P, 4], odds [B, P, C], points [P, 2].
    """
    overlap = iou(truth[:, :, None, 1:], boxes[:, None])
    wanted, target, weight = assign(truth, tf.stop_gradient(overlap), tf.stop_gradient(odds), points)
    likelihood = tf.nn.sigmoid_cross_entropy_with_logits(wanted, odds)
    focus = tf.stop_gradient(tf.where(wanted > 0, 1.0, 0.75 * tf.sigmoid(odds) ** 2))
    count = tf.maximum(tf.reduce_sum(weight), 1.0)
    classes = tf.reduce_sum(likelihood * focus * labelled[:, None]) / count
    sides = tf.reduce_sum((1 - giou(target, boxes)) * weight) / count
    return classes + 2.0 * sides


def assign(
    truth: tf.Tensor, overlap: tf.Tensor, odds: tf.Tensor, points: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Assign points to each true box.

    overlap [B, G, P] -> wanted scores [B, P, C], true box of each point [B, P, 4], weight of each point [B, P].
    """
    kind = tf.maximum(tf.cast(truth[..., 0], tf.int32), 0)
    real = truth[..., 0] >= 0
    scores = tf.gather(tf.transpose(tf.sigmoid(odds), (0, 2, 1)), kind, axis=1, batch_dims=1)
    inside = _inside(truth[..., 1:], points) & real[..., None]
    alignment = tf.where(inside, scores**ALPHA * overlap**BETA + TINY, 0.0)
    count = tf.minimum(TOP_POINTS, tf.shape(alignment)[-1])
    least = tf.math.top_k(alignment, count).values[..., -1:]
    alignment = tf.where(alignment >= tf.maximum(least, TINY), alignment, 0.0)
    owner = tf.argmax(alignment, 1, output_type=tf.int32)
    owned = tf.transpose(tf.one_hot(owner, tf.shape(truth)[1]), (0, 2, 1))
    alignment *= owned
    highest = tf.reduce_max(alignment, -1, keepdims=True)
    best_overlap = tf.reduce_max(tf.where(alignment > 0, overlap, 0.0), -1, keepdims=True)
    weight = tf.reduce_max(alignment / (highest + TINY) * best_overlap, 1)
    wanted = tf.one_hot(tf.gather(kind, owner, batch_dims=1), tf.shape(odds)[-1]) * weight[..., None]
    return wanted, tf.gather(truth[..., 1:], owner, batch_dims=1), weight


def iou(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Return the intersection over union of boxes [..., 4]."""
    overlap, union = _areas(one, other)
    return overlap / (union + TINY)


def giou(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Return the generalized intersection over union of boxes [..., 4], -1 to 1."""
    overlap, union = _areas(one, other)
    (low, high), (other_low, other_high) = _corners(one), _corners(other)
    around = tf.reduce_prod(tf.maximum(high, other_high) - tf.minimum(low, other_low), -1)
    return overlap / (union + TINY) - (around - union) / (around + TINY)


def _areas(one: tf.Tensor, other: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    (low, high), (other_low, other_high) = _corners(one), _corners(other)
    overlap = tf.reduce_prod(tf.maximum(tf.minimum(high, other_high) - tf.maximum(low, other_low), 0.0), -1)
    union = tf.reduce_prod(one[..., 2:], -1) + tf.reduce_prod(other[..., 2:], -1) - overlap
    return overlap, union


def _corners(boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2


def _inside(boxes: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Return which points lie in which boxes, bool [B, G, P]."""
    low, high = _corners(boxes[:, :, None])
    return tf.reduce_all((points > low) & (points < high), -1)
