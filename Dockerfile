# The command alone: no shell, no root. GoReleaser puts the program in the build context.
#
#   docker run -p 127.0.0.1:8080:8080 -e JPAYMENT_CONTROL_TOKEN=example \
#     ghcr.io/jpayment-go/jpayment simulate --listen 0.0.0.0:8080
#   docker run -e JPAYMENT_STORE=123456 -e JPAYMENT_DATABASE=postgres://jpayment@db/shop -e PGPASSWORD \
#     ghcr.io/jpayment-go/jpayment work
FROM gcr.io/distroless/static-debian12:nonroot
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/jpayment /usr/bin/jpayment
USER 65532:65532
ENTRYPOINT ["/usr/bin/jpayment"]
