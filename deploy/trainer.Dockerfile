# A workstation with a GPU: wordcam-train and wordcam-convert beside TensorFlow and CUDA as TensorFlow ships them.
#
#   docker build -f deploy/trainer.Dockerfile -t wordcam-trainer .
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/project" wordcam-trainer train config/trainer.yaml
#
# docs/workstation.md says the rest. Needs an NVIDIA driver and the NVIDIA Container Toolkit on the host.
FROM tensorflow/tensorflow:2.19.0-gpu

# What changes rarely comes first, so that a change of the code does not install the libraries again.
WORKDIR /opt/wordcam
COPY pyproject.toml README.md LICENSE LICENSE-model.md ./
COPY contract contract
COPY foundation foundation
COPY edge edge
COPY trainer trainer
COPY converter converter
# TensorFlow stays the image's own, built for the CUDA beside it; lower bounds of the rest are in pyproject.toml.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir '.[trainer,converter]' \
    && wordcam-train --help \
    && wordcam-convert --help \
    && useradd --create-home --uid 1000 wordcam

# Weights that Keras downloads survive the container, and any --user may write them.
ENV KERAS_HOME=/project/runs/.keras \
    MPLCONFIGDIR=/tmp \
    TF_FORCE_GPU_ALLOW_GROWTH=true

USER 1000
WORKDIR /project
# Python is process 1 and takes SIGTERM itself: it saves its step and exits 75.
ENTRYPOINT ["wordcam-train"]
CMD ["--help"]
