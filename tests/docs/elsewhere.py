"""The blocks of the documentation that do not run here, each with the reason; their commands of leapstream are still parsed."""

from __future__ import annotations

PROGRAMS = {
    "docker": "no Docker in the tests; tests/deploy checks the files",
    "kubectl": "no Kubernetes in the tests; tests/deploy checks the files",
    "pip": "make test-install installs each extra into an empty environment",
    "uvx": "make test-install installs each extra into an empty environment",
    "make": "CI runs these targets",
    "mlflow": "MLflow's server is not in the test environment",
    "unzip": "tools of the shell alone",
    "export": "sets a variable alone",
    "python3": "makes an environment, as make journeys does",
    ".": "activates an environment, as make journeys does",
}
"""Programs whose commands are skipped."""

_STREAMS = "tests/streams/test_recipes.py runs it on a cluster with Kafka"
_SPARK = "PySpark and PyFlink need environments of their own: make test-spark"
_JAVA = "a part of a Java program; tests/flink/test_compat.py compiles such programs"
_EXPORTED = "the model file is the reader's; tests/cli/test_export.py and test_verification.py make some"
_QUERY = "a part of a query over the reader's table; tests/flink/test_names.py and test_sql.py run such queries"
_JOURNEYS = "make journeys runs it, in an environment of its own"
_JOURNEY = "make journey and tests/examples/test_journey.py run the file"

BLOCKS: dict[tuple[str, str], str] = {
    (
        "docs/cli.md",
        "s3://models/loans.zip --storage-options",
    ): "needs a server of S3's protocol; tests/sources has one",
    ("docs/cli.md", "export loans.skops"): _EXPORTED,
    ("docs/contracts.md", "--from loans.skops"): _EXPORTED,
    ("docs/contracts.md", "reviews"): "needs a model with a graph of TensorFlow",
    (
        "docs/deploying.md",
        "kubectl apply -f deploy/kserve/",
    ): "no Kubernetes in the tests; tests/deploy checks the files",
    ("docs/exporters/mlflow.md", "import mlflow"): "tests/test_mlflow.py runs it",
    ("docs/exporters/spark.md", "fitted.write()"): _SPARK,
    ("docs/exporters/spark.md", 'leapstream.from_spark("/models/loans-spark")'): _SPARK,
    ("docs/exporters/spark.md", "np.zeros((1, 64))"): _SPARK,
    ("docs/exporters/tensorflow.md", "keras.utils.set_random_seed"): "make test-tensorflow has TensorFlow, and runs it",
    ("docs/failing-rows.md", "LoansProcess"): _JAVA,
    (
        "docs/drift.md",
        "CREATE FUNCTION DRIFT",
    ): "tests/flink/test_drift.py runs such statements over a stream with windows",
    ("docs/first-job.md", "FLINK_HOME"): _JOURNEYS,
    ("docs/first-job.md", "leapstream demo\n"): "tests/cli/test_commands.py runs the demo",
    ("docs/first-job.md", "doctor --cluster"): _JOURNEYS,
    ("docs/first-job.md", "/tmp/leapstream-models"): _JOURNEYS,
    ("docs/first-release.md", "tritonclient"): _JOURNEYS,
    ("docs/first-release.md", "localhost:8080/metrics"): _JOURNEYS,
    ("docs/first-release.md", "kubernetes-validate"): _JOURNEYS,
    ("docs/first-release.md", "registry"): _JOURNEYS,
    ("docs/flink-sql.md", "SELECT Predict(income"): _QUERY,
    ("docs/flink-sql.md", "SELECT r.prediction"): _QUERY,
    ("docs/jars.md", "LoansMap"): _JAVA,
    ("docs/getting-started.md", "jupyter"): _JOURNEYS,
    ("docs/journey.md", "def main"): _JOURNEY,
    (
        "docs/live-models.md",
        "CREATE MODEL loans",
    ): "tests/flink/test_live.py and tests/streams run it with models of a store",
    ("docs/live-models.md", "MLEAP_PREDICT"): "needs a control stream or a store; tests/flink runs such statements",
    ("docs/live-models.md", "score_stream"): "tests/flink/test_control.py runs it with a control stream",
    ("docs/operations/recipes.md", ""): _STREAMS,
    ("docs/operations/cluster.md", "http://jobmanager:8081"): "tests/cli/test_cluster_doctor.py asks a cluster",
    ("docs/serving-mlflow.md", "@champion"): "needs a tracking server of MLflow; tests/test_mlflow.py has one",
    ("docs/serving-oip.md", "client.load_model"): "Triton's client is in the environment of make test-clients",
    ("docs/serving-sagemaker.md", "sagemaker.create_model"): "needs an account of AWS",
    ("docs/store.md", "--weights 7=90"): "needs versions that the page does not publish; tests/cli/test_store.py",
    ("docs/spark.md", "leapstream.spark"): _SPARK,
}
"""Page and a part of the block's text (an empty one is in all blocks of the page), and the reason."""
