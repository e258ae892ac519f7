#!/usr/bin/env python3
"""A small RTSP server for tests: a moving test picture in H.264 at rtsp://127.0.0.1:PORT/live.

Prints "READY PORT" once it listens, and "SETUP TRANSPORT" when somebody asks for the stream. Ends when its standard input is closed, or after --lifetime seconds, so
that it never outlives a test. Exit status 3: GStreamer's RTSP server for Python is not installed.
"""

import argparse
import sys
import threading


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--transport", choices=["tcp", "udp", "both"], default="both")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--digest", action="store_true", help="ask for digest authentication instead of basic")
    parser.add_argument("--frames", type=int, default=-1, help="end the stream after this many frames")
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--codec", choices=["h264", "jpeg"], default="h264")
    parser.add_argument("--lifetime", type=int, default=120)
    return parser.parse_args()


def main():
    options = arguments()
    try:
        import gi

        gi.require_version("Gst", "1.0")
        gi.require_version("GstRtsp", "1.0")
        gi.require_version("GstRtspServer", "1.0")
        from gi.repository import GLib, Gst, GstRtsp, GstRtspServer
    except (ImportError, ValueError) as error:
        print(f"MISSING {error}", flush=True)
        return 3

    Gst.init(None)
    if Gst.ElementFactory.find("x264enc") is None or Gst.ElementFactory.find("rtph264pay") is None:
        print("MISSING GStreamer elements x264enc or rtph264pay", flush=True)
        return 3
    width, height = options.size.split("x")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( videotestsrc is-live=true pattern=ball num-buffers={options.frames} "
        f"! video/x-raw,format=I420,width={width},height={height},framerate=25/1 "
        + {
            "h264": "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=500 "
            "! rtph264pay name=pay0 config-interval=1 )",
            "jpeg": "! jpegenc ! rtpjpegpay name=pay0 )",
        }[options.codec]
    )
    factory.set_shared(True)
    lower = GstRtsp.RTSPLowerTrans
    factory.set_protocols(
        {"tcp": lower.TCP, "udp": lower.UDP, "both": lower.TCP | lower.UDP}[options.transport]
    )

    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    if options.user is not None:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        if options.digest:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(options.user, options.password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)

    def set_up(_client, context):
        _, transport = context.request.get_header(GstRtsp.RTSPHeaderField.TRANSPORT, 0)
        print(f"SETUP {transport}", flush=True)

    server.connect("client-connected", lambda _server, client: client.connect("setup-request", set_up))
    if server.attach(None) == 0:
        print(f"FAILED port {options.port} is taken", flush=True)
        return 1

    loop = GLib.MainLoop()

    def end_with_parent():
        while sys.stdin.buffer.read(4096):
            pass
        GLib.idle_add(loop.quit)

    threading.Thread(target=end_with_parent, daemon=True).start()
    GLib.timeout_add_seconds(options.lifetime, loop.quit)
    print(f"READY {server.get_bound_port()}", flush=True)
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
