using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SparkGateway.Testing;

/// <summary>The machine's own postgres in a temporary folder, without a socket file, for as long as this process lives.</summary>
internal static class PostgresProcess
{
    private const int PortAttempts = 3;

    /// <summary>The shell reads our end of a pipe: when this process ends, however it ends, the server is stopped and its folder removed.</summary>
    private const string Supervisor = """
        bin=$1 port=$2
        dir=$(mktemp -d "${TMPDIR:-/tmp}/spark-gateway-postgres.XXXXXX") || exit 1
        cd "$dir" || exit 1
        trap 'cd /; rm -rf "$dir"' EXIT
        "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || { tail -n 3 "$dir/log"; exit 1; }
        "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200" start >/dev/null 2>&1 || { tail -n 3 "$dir/log"; exit 1; }
        echo ready
        cat >/dev/null
        "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1
        """;

    /// <summary>Held so that its standard input stays open until the end of this process.</summary>
    private static Process? running;

    public static async Task<(string? ConnectionString, string Reason)> StartAsync()
    {
        if (FindBinaries() is not { } bin) return (null, "there is no postgres under /usr/lib/postgresql or on PATH");

        var said = "";
        for (var attempt = 0; attempt < PortAttempts; attempt++)
        {
            var port = FreePort();
            var process = Process.Start(Describe(bin, port))!;
            said = await process.StandardOutput.ReadLineAsync() ?? "";
            if (said == "ready")
            {
                running = process;
                return ($"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres", "");
            }

            process.Dispose();
        }

        return (null, $"the postgres of {bin} does not start ({said})");
    }

    private static ProcessStartInfo Describe(string bin, int port)
    {
        // postgres refuses to run as root.
        string[] user = Environment.IsPrivilegedProcess
            ? ["setpriv", $"--reuid={ServerUser()}", $"--regid={ServerGroup()}", "--clear-groups"]
            : [];

        // A session of its own: a signal for the test's process group must not kill the shell before the server.
        string[] line = [.. user, "setsid", "/bin/sh", "-c", Supervisor, "postgres-supervisor", bin, port.ToString(CultureInfo.InvariantCulture)];
        return new ProcessStartInfo(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
    }

    private static string ServerUser() => HasPostgresUser() ? "postgres" : "nobody";

    private static string ServerGroup() => HasPostgresUser() ? "postgres" : "nogroup";

    private static bool HasPostgresUser() => File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal));

    private static string? FindBinaries()
    {
        const string root = "/usr/lib/postgresql";
        var packaged = Directory.Exists(root) ? Directory.GetDirectories(root).OrderDescending().Select(version => Path.Combine(version, "bin")) : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return packaged.Concat(path).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "pg_ctl")));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
