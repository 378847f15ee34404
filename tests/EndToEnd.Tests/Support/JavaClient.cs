using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.Support;

/// <summary>Programs with the stock JVM client.</summary>
internal static class JavaClient
{
    public static OwnedProcess Start(IEnumerable<string> arguments, string? ownFolder = null) =>
        OwnedProcess.Start("the JVM client", "java", arguments, [("SPARK_REMOTE", null), ("SPARK_CONNECT_AUTHENTICATE_TOKEN", null)], ownFolder, ownsFolder: ownFolder is not null);

    /// <summary>Compiles and starts a class Client with that body of main, in which `url` is the address.</summary>
    public static OwnedProcess Start(string body, string url)
    {
        var folder = Directory.CreateTempSubdirectory("spark-gateway-client-").FullName;
        var file = Path.Combine(folder, "Client.java");
        File.WriteAllText(
            file,
            $$"""
            import java.util.*;
            import org.apache.spark.sql.*;

            public final class Client {
                public static void main(String[] args) throws Exception {
                    String url = args[0];
                    {{body}}
                    System.out.flush();
                    System.exit(0);
                }
            }
            """);
        Fixtures.CompileJava(file, folder);
        return Start([.. Fixtures.JavaArguments(folder), "Client", url], folder);
    }
}
