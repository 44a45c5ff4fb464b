# The server: wordcam-broker, for the alert service and for the console.
#
#   docker build -f deploy/broker.Dockerfile -t wordcam-broker:0.2.0 .
#
# deploy/stack.yml runs it; deploy/kubernetes.md says what else may.
FROM python:3.13-slim-bookworm AS build

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE LICENSE-model.md ./
COPY contract contract
COPY foundation foundation
COPY broker broker
# `broker/starter/rules.yaml` is a link to it.
COPY config/rules.yaml config/rules.yaml
# A virtual environment can be copied whole. The versions of all that it holds are those of constraints.txt.
# hadolint ignore=DL3013
RUN python -m venv /opt/wordcam \
    && /opt/wordcam/bin/pip install --no-cache-dir --constraint constraints.txt '.[broker,postgresql]'

FROM python:3.13-slim-bookworm

COPY --from=build /opt/wordcam /opt/wordcam
RUN useradd --system --uid 10001 --home-dir /var/lib/wordcam --create-home wordcam \
    && /opt/wordcam/bin/wordcam-broker --help

ENV PATH=/opt/wordcam/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1

USER 10001
WORKDIR /var/lib/wordcam
# Python is process 1 and takes SIGTERM itself: what has come is stored, what is due is sent, and it exits 0.
ENTRYPOINT ["wordcam-broker"]
CMD ["--help"]
# No HEALTHCHECK: the verbs are several, and each is asked its own question in deploy/stack.yml.
