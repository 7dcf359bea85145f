# Inlay with its bundle, in one image:
#   docker build -t inlay .                              the CPU build of torch
#   docker build -t inlay:cuda --build-arg TORCH=cuda .  PyPI's build with CUDA, for `docker run --gpus all`
# Run: docker run -p 127.0.0.1:7860:7860 -v inlay-home:/home/inlay inlay
ARG PYTHON=3.11
FROM python:${PYTHON}-slim-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ARG TORCH=cpu
ARG TORCH_VERSION=2.13.0
ARG CPU_INDEX=https://download.pytorch.org/whl/cpu
RUN python -m venv /opt/inlay
ENV PATH=/opt/inlay/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Torch before the sources: its layer is the largest, and stays when they change.
RUN case "$TORCH" in \
      cpu) pip install "torch==$TORCH_VERSION+cpu" --extra-index-url "$CPU_INDEX" ;; \
      cuda) pip install "torch==$TORCH_VERSION" ;; \
      *) echo "TORCH is '$TORCH'; expected cpu or cuda" >&2; exit 2 ;; \
    esac
COPY . /src
RUN pip install /src

FROM python:${PYTHON}-slim-bookworm
RUN useradd --create-home --uid 1000 inlay
COPY --from=build /opt/inlay /opt/inlay
ENV PATH=/opt/inlay/bin:$PATH PYTHONUNBUFFERED=1 INLAY_HOME=/home/inlay
USER 1000
# Projects are here and nowhere else. Made by the user above, so that a new volume is theirs.
VOLUME /home/inlay
WORKDIR /home/inlay
EXPOSE 7860
HEALTHCHECK --start-period=90s --interval=30s --timeout=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/gradio_api/startup-events', timeout=5)"]
ENTRYPOINT ["inlay"]
# 0.0.0.0 inside only: who may reach it is what `-p` publishes. `docker logs` has the link that opens it.
CMD ["serve", "--host", "0.0.0.0", "--port", "7860"]
