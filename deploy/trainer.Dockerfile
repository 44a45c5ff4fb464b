# A workstation with a GPU: wordcam-train and wordcam-convert beside TensorFlow and CUDA as TensorFlow ships them.
#
#   docker build -f deploy/trainer.Dockerfile -t wordcam-trainer .
#   docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/project" wordcam-trainer train config/trainer.yaml
#
# docs/workstation.md says the rest. Needs an NVIDIA driver and the NVIDIA Container Toolkit on the host.
FROM tensorflow/tensorflow:2.19.0-gpu

# What changes rarely comes first, so that a change of the code does not install the libraries again.
WORKDIR /opt/wordcam
COPY pyproject.toml constraints.txt README.md LICENSE LICENSE-model.md ./
COPY contract contract
COPY foundation foundation
COPY edge edge
COPY trainer trainer
COPY converter converter
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# TensorFlow and what came with it stay the image's own, built for the CUDA beside it; the versions of all else are those
# of constraints.txt.
# hadolint ignore=DL3013
RUN pip list --format=freeze | sed 's/==.*/==/; s/_/-/g' >/tmp/own.txt \
    && grep --invert-match --ignore-case --fixed-strings --file=/tmp/own.txt constraints.txt >/tmp/constraints.txt \
    && pip install --no-cache-dir --constraint /tmp/constraints.txt '.[trainer,converter]' \
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
