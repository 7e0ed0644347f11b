// Writes the byte code of Lambda's Python beside every source file of a folder: node compile.mjs FOLDER
//
// Byte code belongs to one version of Python. The Python that runs the CDK app may be another one, so this
// uses CPython 3.13 as WebAssembly (pyodide): the same byte code on every machine, without Docker.
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
// Where Lambda unpacks the bundle, so that tracebacks name the true path.
python.mountNodeFS("/var/task", process.argv[2]);
// Zip files of the CDK are dated 1980 and /var/task is read-only: Lambda would find byte code with a time
// stamp stale, and compile everything anew at each cold start. Unchecked byte code is taken as it is.
const ok = python.runPython(`
import compileall, py_compile
compileall.compile_dir("/var/task", quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
`);
process.exit(ok ? 0 : 1);
