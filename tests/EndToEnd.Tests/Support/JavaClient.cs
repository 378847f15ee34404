namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>Programs with the stock JVM client.</summary>
internal static class JavaClient
{
    public static OwnedProcess Start(IEnumerable<string> arguments) =>
        OwnedProcess.Start("the JVM client", "java", arguments, [("SPARK_REMOTE", null), ("SPARK_CONNECT_AUTHENTICATE_TOKEN", null)]);
}
