# A device in a container, for those who run everything so: wordcam-edge with its model, on arm64 and amd64.
#
#   docker build -f deploy/edge.Dockerfile -t wordcam-edge:0.2.0 .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/etc/wordcam" wordcam-edge:0.2.0 \
#     enroll north-gate_pi-01.enroll --camera /dev/video0 --outbox /var/lib/wordcam/outbox.sqlite
#   docker run -d --restart unless-stopped --read-only --cap-drop ALL --security-opt no-new-privileges \
#     --user "$(id -u):$(id -g)" --group-add video --device /dev/video0 \
#     -v "$PWD:/etc/wordcam:ro" -v wordcam:/var/lib/wordcam wordcam-edge:0.2.0
#
# `look` and `send` are two processes here too, but share the container's network: the units of deploy/systemd keep the
# camera's process away from it. Ribbon cameras need Raspberry Pi OS itself.
FROM python:3.13-slim-bookworm AS build

WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE LICENSE-model.md ./
COPY contract contract
COPY foundation foundation
COPY edge edge
# `edge/models` and `edge/image/units` are links to these.
COPY models models
COPY deploy/systemd deploy/systemd
# hadolint ignore=DL3013
RUN python -m venv /opt/wordcam \
    && /opt/wordcam/bin/pip install --no-cache-dir --constraint constraints.txt '.[edge]'

FROM python:3.13-slim-bookworm

COPY --from=build /opt/wordcam /opt/wordcam
RUN useradd --system --uid 10001 --groups video --home-dir /var/lib/wordcam --create-home wordcam \
    && chmod 1777 /var/lib/wordcam \
    && /opt/wordcam/bin/wordcam-edge --help

ENV PATH=/opt/wordcam/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1

USER 10001
WORKDIR /etc/wordcam
VOLUME /var/lib/wordcam
# `run` takes SIGTERM itself and ends both processes; what was not sent waits in the volume.
ENTRYPOINT ["wordcam-edge"]
CMD ["run"]
