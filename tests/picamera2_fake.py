"""Stands in for picamera2 and libcamera, by picamera2's documented interface.

As there: a request holds one of the camera's buffers until it is released, and the camera writes
over a buffer that it has back; arrays of YUV420 keep the padding of their rows; a job that waits
for a frame keeps `stop` waiting; what a camera can do is known once it is configured.
"""

import atexit
import logging
import sys
import threading
import types

import numpy as np

# Microseconds of a frame: the fastest of 1920x1080 with a Camera Module 3, and the slowest.
SHORTEST, LONGEST = 21_021, 220_535_845
POISON = 170


class ColorSpace:
    """libcamera.ColorSpace: only whose name matters here."""

    def __init__(self, name):
        self.name = name

    @staticmethod
    def Sycc():
        return ColorSpace("sYCC")

    @staticmethod
    def Rec709():
        return ColorSpace("Rec709")


class Transform:
    """libcamera.Transform."""

    def __init__(self, hflip=False, vflip=False):
        self.hflip, self.vflip = hflip, vflip


class Job:
    """What `capture_request(wait=False)` returns."""

    def __init__(self):
        self.cancelled, self.request = threading.Event(), None


class Request:
    """A completed request: all buffers of one frame."""

    def __init__(self, camera, index):
        self.camera, self.index, self.released = camera, index, False

    def make_array(self, name):
        if self.released:
            raise AttributeError("'NoneType' object has no attribute 'get'")
        if self.camera.fails:
            raise RuntimeError("Format not supported")
        self.camera.fetched.append(name)
        stream = self.camera.configuration[name]
        array = self.camera.buffers[name][self.index].copy()
        if stream["format"] == "RGB888":
            width, height = stream["size"]
            return np.ascontiguousarray(array[:, : 3 * width]).reshape(height, width, 3)
        return array

    def release(self):
        if self.released:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self.released = True
        for buffers in self.camera.buffers.values():
            buffers[self.index][:] = POISON
        self.camera.free.append(self.index)


class Picamera2:
    """The camera. What differs between cameras is set on the class by a test."""

    infos = ({"Model": "imx708", "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Num": 0},)
    busy = False  # held by another program
    starts = True
    focuses = True  # has a lens that moves
    granule = 1  # pixels that widths are rounded down to
    gives = None  # a format in place of the one asked for
    dies_after = None  # so many frames, then none
    blocks = False  # stop never returns
    fails = False  # arrays cannot be made
    made: list = []  # noqa: RUF012

    @classmethod
    def global_camera_info(cls):
        return list(cls.infos)

    def __init__(self, camera_num=0):
        self.number = self.infos[camera_num]["Num"]
        self.closed, self.configuration, self.set, self.count = False, None, {}, 0
        self.jobs, self.started, self.fetched = [], False, []
        Picamera2.made.append(self)
        try:
            if self.busy:
                raise RuntimeError("Failed to acquire camera: Device or resource busy")
        except Exception:
            logging.getLogger("picamera2.picamera2").error("Camera __init__ did not complete.")
            raise RuntimeError("Camera __init__ sequence did not complete.")  # noqa: B904
        atexit.register(self.close)

    @property
    def camera_controls(self):
        assert self.configuration, "what a camera can do depends on how it is configured"
        controls = {
            "ExposureTime": (26, 220_416_802, 20_000),
            "AnalogueGain": (1.123, 16.0, 1.0),
            "ColourGains": (0.0, 32.0, None),
            "AeEnable": (False, True, True),
            "ScalerCrop": ((768, 432, 64, 64), (768, 432, 3072, 1728), (768, 432, 3072, 1728)),
            "FrameDurationLimits": (SHORTEST, LONGEST, 33_333),
        }
        if self.focuses:
            controls |= {"AfMode": (0, 2, 0), "LensPosition": (0.0, 32.0, 1.0)}
        return controls

    def create_video_configuration(
        self,
        main={},  # noqa: B006
        lores=None,
        raw={},  # noqa: B006
        transform=None,
        colour_space=None,
        buffer_count=6,
        controls={},  # noqa: B006
        display="main",
        encode="main",
        queue=True,
    ):
        streams = {
            "main": {"format": "XBGR8888", "size": (1280, 720)} | main,
            "lores": None if lores is None else {"format": "YUV420"} | lores,
            "raw": None if raw is None else {"format": "SRGGB10_CSI2P"} | raw,
        }
        for name in ("main", "lores"):
            if streams[name] is not None:
                assert set(streams[name]) <= {"format", "size", "stride", "preserve_ar"}
                width, height = streams[name]["size"]
                streams[name]["size"] = (width - width % 2, height - height % 2)
        return {
            **streams,
            "transform": transform or Transform(),
            "colour_space": colour_space or ColorSpace.Rec709(),
            "buffer_count": buffer_count,
            "controls": dict(controls),
            "display": display,
            "encode": encode,
            "queue": queue,
        }

    def configure(self, configuration):
        if not isinstance(configuration["colour_space"], ColorSpace):
            raise RuntimeError("Colour space has incorrect type")
        if not isinstance(configuration["transform"], Transform):
            raise RuntimeError("Transform has incorrect type")
        main, lores = configuration["main"], configuration["lores"]
        if lores is not None:
            if any(low > high for low, high in zip(lores["size"], main["size"], strict=True)):
                raise RuntimeError("lores stream dimensions may not exceed main stream")
            if lores["format"] != "YUV420":
                raise RuntimeError("lores stream must be YUV")
        self.buffers = {}
        count = configuration["buffer_count"]
        for name, stream in (("main", main), ("lores", lores)):
            if stream is None:
                continue
            stream["format"] = self.gives or stream["format"]
            width, height = stream["size"]
            width -= width % self.granule
            stream["size"] = (width, height)
            colour = stream["format"] == "RGB888"
            stream["stride"] = -(-width * (3 if colour else 1) // 64) * 64
            rows = height if colour else height * 3 // 2
            shape = (rows, stream["stride"])
            self.buffers[name] = [np.full(shape, POISON, np.uint8) for _ in range(count)]
        self.free = list(range(count))
        self.configuration = configuration

    def camera_configuration(self):
        return self.configuration

    def set_controls(self, controls):
        for name in controls:
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.set |= controls

    def start(self):
        if not self.starts:
            raise OSError(12, "Cannot allocate memory")
        self.started = True

    def capture_request(self, wait=None, signal_function=None):
        assert wait is False, "all else may wait for ever"
        job = Job()
        self.jobs.append(job)
        return job

    def wait(self, job, timeout=None):
        if self.count == self.dies_after or not self.free:
            if job.cancelled.wait(timeout):
                raise AssertionError("nobody cancels what it waits for")
            raise TimeoutError
        # At the camera's rate, or nearly.
        job.cancelled.wait(0.002)
        self.jobs.remove(job)
        index = self.free.pop(0)
        self._expose(index)
        return Request(self, index)

    def _expose(self, index):
        """Frame n has the grey n, and in colour B n, G 2 and R 3; around it there is rubbish."""
        self.count += 1
        level = self.count % 100
        for name, buffers in self.buffers.items():
            buffer = buffers[index]
            width, height = self.configuration[name]["size"]
            buffer[:] = 255
            if self.configuration[name]["format"] == "RGB888":
                buffer[:, : 3 * width] = np.tile(np.array([level, 2, 3], np.uint8), width)
            else:
                buffer[:height, :width] = level

    def cancel_all_and_flush(self):
        for job in self.jobs:
            job.cancelled.set()
        self.jobs = []

    def stop(self):
        if self.blocks or self.jobs:
            threading.Event().wait()
        self.started = False

    def close(self):
        if not self.closed:
            self.stop()
        self.closed = True


def install(modules=sys.modules):
    """Puts it in the place of the two packages."""
    modules["libcamera"] = types.ModuleType("libcamera")
    modules["libcamera"].ColorSpace, modules["libcamera"].Transform = ColorSpace, Transform
    modules["picamera2"] = types.ModuleType("picamera2")
    modules["picamera2"].Picamera2 = Picamera2
