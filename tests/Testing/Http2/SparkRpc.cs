namespace SparkGateway.Testing.Http2;

/// <summary>Messages of the Spark Connect service, as far as a gateway looks into them.</summary>
public static class SparkRpc
{
    public const string Service = "/spark.connect.SparkConnectService/";
    public const string ExecutePlan = Service + "ExecutePlan";
    public const string AnalyzePlan = Service + "AnalyzePlan";
    public const string Config = Service + "Config";
    public const string AddArtifacts = Service + "AddArtifacts";
    public const string ReattachExecute = Service + "ReattachExecute";
    public const string ReleaseExecute = Service + "ReleaseExecute";
    public const string ReleaseSession = Service + "ReleaseSession";
    public const string CloneSession = Service + "CloneSession";

    /// <summary>session_id and user_context, then whatever the test adds.</summary>
    public static byte[] Request(string sessionId, string userId, params IEnumerable<byte[]> more) =>
        [.. Proto.Text(1, sessionId), .. Proto.Bytes(2, Proto.Text(1, userId)), .. more.SelectMany(bytes => bytes)];

    public static byte[] Response(string sessionId, params IEnumerable<byte[]> more) =>
        [.. Proto.Text(1, sessionId), .. more.SelectMany(bytes => bytes)];

    /// <summary>Config.Set of these pairs, as PySpark 4 sends it: all at once, silent.</summary>
    public static byte[] ConfigSet(string sessionId, string userId, params IEnumerable<(string Key, string Value)> pairs)
    {
        var set = pairs.SelectMany(pair => Proto.Bytes(1, [.. Proto.Text(1, pair.Key), .. Proto.Text(2, pair.Value)])).Concat(Proto.Number(2, 1)).ToArray();
        return Request(sessionId, userId, Proto.Bytes(3, Proto.Bytes(1, set)), Proto.Text(4, "_SPARK_CONNECT_PYTHON spark/4.2.0 os/linux python/3.11.7"));
    }

    public static string SessionOf(ReadOnlySpan<byte> message) => Proto.FindText(message, 1) ?? "";

    public static string UserOf(ReadOnlySpan<byte> message) => Proto.Find(message, 2) is { } user ? Proto.FindText(user, 1) ?? "" : "";
}
