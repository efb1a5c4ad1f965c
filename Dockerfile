# Two images from one file:
#   docker build --target bots   -t glimt-bots   .      the chat page, the REST API, the console, migrations; no torch
#   docker build --target worker -t glimt-worker .      loads the model and answers
# The worker takes torch from pip's default index. For another build, say CPU only or another CUDA:
#   docker build --target worker --build-arg TORCH="torch==2.13.0 --index-url <the address that pytorch.org names>" …

FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
RUN python -m venv /opt/glimt
COPY requirements/bots.txt requirements/worker.txt requirements/torch.txt requirements/
# The checkout is installed as a link to /app, where the last stage has it.
COPY pyproject.toml README.md LICENSE ./

FROM build AS build-bots
RUN /opt/glimt/bin/pip install --require-hashes --no-deps -r requirements/bots.txt \
 && /opt/glimt/bin/pip install --no-deps --no-build-isolation --config-settings editable_mode=compat -e . \
 && /opt/glimt/bin/pip check

FROM build AS build-worker
ARG TORCH="-r requirements/torch.txt"
# torch first: it is the largest layer and changes least.
RUN /opt/glimt/bin/pip install ${TORCH}
RUN /opt/glimt/bin/pip install --require-hashes --no-deps -r requirements/worker.txt \
 && /opt/glimt/bin/pip install --no-deps --no-build-isolation --config-settings editable_mode=compat -e . \
 && /opt/glimt/bin/pip check

FROM python:3.12-slim AS runtime
RUN useradd --system --uid 10001 --home-dir /var/lib/glimt --shell /usr/sbin/nologin glimt \
 && install -d -o glimt -g glimt -m 0700 /var/lib/glimt /var/lib/glimt/blobs /var/lib/glimt/models
ENV PATH=/opt/glimt/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GLIMT_DATA_DIR=/var/lib/glimt \
    HF_HOME=/var/lib/glimt/models
WORKDIR /app
COPY LICENSE NOTICE pyproject.toml ./
COPY migrations/ migrations/
COPY core/ core/
COPY serving/ serving/
COPY glimt/ glimt/
VOLUME /var/lib/glimt
STOPSIGNAL SIGTERM

FROM runtime AS bots
COPY --from=build-bots /opt/glimt /opt/glimt
COPY bots/ bots/
COPY admin/ admin/
USER glimt
EXPOSE 8080 8081
# Not urllib, which would ask the proxy of the environment for an address of our own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('GLIMT_WEB_PORT') or 8080), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
CMD ["glimt", "bots"]

FROM runtime AS worker
COPY --from=build-worker /opt/glimt /opt/glimt
COPY worker/ worker/
USER glimt
# A large model takes minutes to load from a slow disk.
HEALTHCHECK --interval=30s --timeout=10s --start-period=1800s --retries=3 CMD ["python", "-m", "worker.health"]
CMD ["glimt", "worker"]
