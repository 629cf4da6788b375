"""zstd-stream, through libzstd if the machine has it (ctypes; Python's library has no zstd): one stream, flushed after each message."""
import ctypes
import ctypes.util

_lib = None


class _Buffer(ctypes.Structure):
    _fields_ = [("p", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]


def available():
    global _lib
    if _lib is None:
        try:
            _lib = ctypes.CDLL("libzstd.so.1")
            _lib.ZSTD_createCCtx.restype = ctypes.c_void_p
            _lib.ZSTD_compressStream2.restype = ctypes.c_size_t
            _lib.ZSTD_compressStream2.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Buffer), ctypes.POINTER(_Buffer), ctypes.c_int]
            _lib.ZSTD_freeCCtx.argtypes = [ctypes.c_void_p]
            _lib.ZSTD_isError.argtypes = [ctypes.c_size_t]
        except (OSError, AttributeError):
            _lib = False
    return bool(_lib)


class Stream:
    FLUSH = 1       # ZSTD_e_flush

    def __init__(self):
        available()
        self.ctx = _lib.ZSTD_createCCtx()

    def add(self, data):
        out, room = b"", ctypes.create_string_buffer(65536)
        src = ctypes.create_string_buffer(data, len(data))
        i = _Buffer(ctypes.cast(src, ctypes.c_void_p), len(data), 0)
        while True:
            o = _Buffer(ctypes.cast(room, ctypes.c_void_p), len(room), 0)
            left = _lib.ZSTD_compressStream2(self.ctx, ctypes.byref(o), ctypes.byref(i), self.FLUSH)
            if _lib.ZSTD_isError(left):
                raise ValueError("zstd")
            out += room.raw[:o.pos]
            if left == 0 and i.pos == i.size:
                return out

    def __del__(self):
        _lib.ZSTD_freeCCtx(self.ctx)
