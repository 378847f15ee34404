using System.Globalization;
using System.Text;
using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>Turns the engine and the options into the command of one driver.</summary>
internal sealed class DriverCommands(GatewayOptions options, Func<IReadOnlyDictionary<string, string>> environment)
{
    public const string Host = "127.0.0.1";
    private const string TokenVariable = "SPARK_CONNECT_AUTHENTICATE_TOKEN";
    private const string TokenSetting = "spark.connect.authenticate.token";
    private const string JavaOptions = "spark.driver.extraJavaOptions";

    /// <summary>Makes the driver's folder, with its settings in a file: settings may hold passwords, and arguments are seen by all users of the machine.</summary>
    public DriverCommand Prepare(Engine engine, SessionName name, string workFolder, int port, string? token, int uiPort = 0)
    {
        if (Directory.Exists(workFolder)) Directory.Delete(workFolder, recursive: true);
        OwnerOnly.CreateFolder(workFolder);
        var temporary = Directory.CreateDirectory(Path.Combine(workFolder, "tmp")).FullName;
        var variables = BaseEnvironment();
        variables["TMPDIR"] = temporary;
        if (token is not null) variables[TokenVariable] = token;
        return engine switch
        {
            Engine.Sail sail => new DriverCommand(sail.Program, ["spark", "server", "--ip", Host, "--port", port.ToString(CultureInfo.InvariantCulture)], variables, workFolder),
            Engine.Spark spark => ForSpark(spark, name, workFolder, temporary, port, uiPort, variables),
            _ => throw new ArgumentException($"No command for {engine}.", nameof(engine)),
        };
    }

    private DriverCommand ForSpark(Engine.Spark spark, SessionName name, string work, string temporary, int port, int uiPort, Dictionary<string, string> variables)
    {
        variables["SPARK_HOME"] = spark.Home;
        variables["SPARK_LOCAL_IP"] = Host;
        variables["SPARK_LOCAL_DIRS"] = Path.Combine(work, "local");
        variables["PYSPARK_PYTHON"] = spark.Python;
        var file = Path.Combine(work, "spark.conf");
        using (var stream = OwnerOnly.Open(file, FileMode.CreateNew))
        {
            foreach (var (key, value) in Settings(spark, name, work, temporary, port, uiPort))
            {
                stream.Write(Encoding.UTF8.GetBytes($"{Escape(key)}={Escape(value)}\n"));
            }
        }

        return new DriverCommand(
            Path.Combine(spark.Home, "bin", "spark-submit"),
            ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--properties-file", file, "--load-spark-defaults", "spark-internal"],
            variables,
            work);
    }

    /// <summary>Three layers: what on_demand.spark_conf may change, spark_conf itself, and what routing and safety rest on.</summary>
    private Dictionary<string, string> Settings(Engine.Spark spark, SessionName name, string work, string temporary, int port, int uiPort)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["spark.master"] = $"local[{Cores()}]",
            ["spark.driver.memory"] = Memory(options.Local.DriverMemory.Length > 0 ? options.Local.DriverMemory : options.SparkConnect.OnDemand.DriverMemory),
            ["spark.ui.enabled"] = "false",
            ["spark.ui.showConsoleProgress"] = "false",
            ["spark.sql.warehouse.dir"] = Path.Combine(work, "warehouse"),
        };
        if (!spark.HasHive) settings["spark.sql.catalogImplementation"] = "in-memory";
        foreach (var (key, value) in options.SparkConnect.OnDemand.SparkConf) settings[key] = value;
        settings.Remove(TokenSetting);
        settings[JavaOptions] = $"\"-Djava.io.tmpdir={temporary.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\" {settings.GetValueOrDefault(JavaOptions)}".TrimEnd();
        settings["spark.app.name"] = name.Name;
        settings["spark.driver.host"] = Host;
        settings["spark.driver.bindAddress"] = Host;
        settings["spark.connect.grpc.binding.address"] = Host;
        settings["spark.connect.grpc.binding.port"] = port.ToString(CultureInfo.InvariantCulture);
        settings["spark.connect.grpc.port.maxRetries"] = "0";
        if (uiPort > 0)
        {
            settings["spark.ui.enabled"] = "true";
            settings["spark.ui.port"] = uiPort.ToString(CultureInfo.InvariantCulture);
            settings["spark.ui.killEnabled"] = "false";
        }

        return settings;
    }

    /// <summary>Executors become threads of the one process.</summary>
    private int Cores()
    {
        var onDemand = options.SparkConnect.OnDemand;
        var wanted = Math.Max(Count(onDemand.DriverCores), onDemand.ExecutorInstances * Count(onDemand.ExecutorCores));
        return Math.Clamp(wanted, 1, Environment.ProcessorCount);
    }

    /// <summary>"2", "1.5" or "1500m": whole cores, rounded up.</summary>
    private static int Count(string cores)
    {
        var milli = cores.EndsWith('m');
        return decimal.TryParse(cores.AsSpan().TrimEnd('m'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? (int)Math.Ceiling(Math.Min(milli ? number / 1000 : number, short.MaxValue))
            : 1;
    }

    /// <summary>Java knows "4g" but not the "4Gi" of Kubernetes, which means the same.</summary>
    private static string Memory(string size) => size.TrimEnd('i');

    /// <summary>The parent's environment without its own Spark and Python set-up, and without the gateway's own settings.</summary>
    private Dictionary<string, string> BaseEnvironment() => environment()
        .Where(pair => pair.Key == "SPARK_DIST_CLASSPATH" || !IsForeign(pair.Key))
        .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    private static bool IsForeign(string name) =>
        name.StartsWith("SPARK_", StringComparison.Ordinal) || name.StartsWith("PYSPARK_", StringComparison.Ordinal)
        || name is "PYTHONPATH" or "PYTHONHOME" or "PYTHONSTARTUP";

    /// <summary>The characters that a Java properties file gives a meaning.</summary>
    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            _ = character switch
            {
                '\n' => escaped.Append("\\n"),
                '\r' => escaped.Append("\\r"),
                '\t' => escaped.Append("\\t"),
                '\\' or '=' or ':' or '#' or '!' or ' ' => escaped.Append('\\').Append(character),
                _ => escaped.Append(character),
            };
        }

        return escaped.ToString();
    }
}
