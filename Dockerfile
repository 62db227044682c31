# One image for every process of nurture: docker run IMAGE worker, web, db upgrade, publish, why …
# A team builds its own on top: COPY campaigns /app/campaigns, COPY templates /app/templates.
FROM python:3.11-slim AS packages
COPY requirements-image.lock .
RUN python -m venv /opt/nurture \
 && /opt/nurture/bin/pip install --no-cache-dir --require-hashes --requirement requirements-image.lock

FROM python:3.11-slim
ENV PATH=/opt/nurture/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=packages /opt/nurture /opt/nurture
WORKDIR /app
COPY worker.py ./
COPY nurture nurture
COPY workflows workflows
COPY activities activities
COPY web web
COPY campaigns campaigns
COPY templates templates
# Nothing is written to the image's own files, so it runs with a read-only root.
USER 65534:65534
EXPOSE 8000
ENTRYPOINT ["python", "-m", "nurture.cli"]
CMD ["--help"]
