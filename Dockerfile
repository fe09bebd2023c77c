# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/ requirements/
RUN python -m venv /opt/guidewatch \
 && /opt/guidewatch/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY guidewatch/ guidewatch/
COPY dashboards/ dashboards/
COPY consumers/ consumers/
COPY crawlers/ crawlers/
COPY storage/ storage/
COPY classifier/ classifier/
COPY events/ events/
RUN /opt/guidewatch/bin/pip install --no-cache-dir setuptools \
 && /opt/guidewatch/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/guidewatch/bin/pip uninstall -y setuptools

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home guidewatch && install -d -o guidewatch /data
COPY --from=build /opt/guidewatch /opt/guidewatch
USER guidewatch
WORKDIR /home/guidewatch
ENV PATH=/opt/guidewatch/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GUIDEWATCH_LOG_FORMAT=json \
    GUIDEWATCH_LOG_LEVEL=INFO
VOLUME /data
ENTRYPOINT ["guidewatch"]
CMD ["--help"]
