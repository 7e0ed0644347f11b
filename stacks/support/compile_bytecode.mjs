// Compiles every Python source file in a folder to bytecode for Lambda's Python: node compile_bytecode.mjs FOLDER
//
// Bytecode works only with the Python version that wrote it, and the Python that runs the CDK app can be another
// version. This script therefore runs CPython 3.13 as WebAssembly (Pyodide): the same bytecode on every machine,
// without Docker.
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
// Lambda extracts the deployment package to /var/task. Compiling there gives tracebacks the correct paths.
python.mountNodeFS("/var/task", process.argv[2]);
// UNCHECKED_HASH: Python loads the bytecode without comparing it with the source. A timestamp would not match,
// because the CDK dates all files in an asset 1980, and /var/task is read-only: every cold start would compile
// everything again.
const ok = python.runPython(`
import compileall, py_compile
compileall.compile_dir("/var/task", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
`);
process.exit(ok ? 0 : 1);
