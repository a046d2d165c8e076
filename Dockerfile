# The Streamlit app, for a Space with `sdk: docker` and for any machine:
#     docker build -t gan-studio .
#     docker run -p 7860:7860 -v gan-studio:/data gan-studio
# PyTorch's usual packages bring CUDA along. Without a GPU the image is gigabytes smaller with its CPU packages: give
# the address of their index (pytorch.org says it) as --build-arg TORCH_INDEX=….
FROM python:3.12-slim

ARG TORCH_INDEX=""

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# Spaces run an image as the user 1000. What is trained and adopted goes to /data; nothing else can be written.
RUN useradd --create-home --uid 1000 studio && install --directory --owner studio /data
WORKDIR /studio

COPY requirements.txt .
RUN if [ -n "$TORCH_INDEX" ]; then pip install --index-url "$TORCH_INDEX" torch torchvision; fi \
    && pip install -r requirements.txt

COPY app.py LICENSE ./
COPY .streamlit .streamlit
COPY checkpoints checkpoints
COPY studio studio
COPY pages pages
RUN chmod -R a+rX,go-w .

USER 1000
ENV STUDIO_HOME=/data
# A Space shows the page in a frame of another site, where the browser keeps its XSRF cookie back and uploads would
# fail. There is no login that a foreign page could misuse, and the studio's own routes refuse other sites themselves.
ENV STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false STREAMLIT_SERVER_HEADLESS=true

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/_stcore/health', timeout=5)"]
CMD ["streamlit", "run", "app.py", "--server.port=7860", "--server.address=0.0.0.0"]
