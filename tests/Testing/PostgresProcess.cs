using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace SparkGateway.Testing;

/// <summary>The machine's own postgres in a temporary folder, without a socket file, for as long as this process lives. A test with one of its own may stop and start it.</summary>
public sealed class PostgresProcess : IAsyncDisposable
{
    private const int PortAttempts = 3;
    private const string Ready = "ready";
    private const string Stopped = "stopped";

    /// <summary>The shell reads our end of a pipe: when this process ends, however it ends, the server is stopped and its folder removed.</summary>
    private const string Supervisor = """
        bin=$1 port=$2
        dir=$(mktemp -d "${TMPDIR:-/tmp}/spark-gateway-postgres.XXXXXX") || exit 1
        cd "$dir" || exit 1
        trap 'cd /; rm -rf "$dir"' EXIT
        start() {
          "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200" start >/dev/null 2>&1 || { tail -n 3 "$dir/log"; exit 1; }
          echo ready
        }
        "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || { tail -n 3 "$dir/log"; exit 1; }
        start
        while read -r word; do
          case $word in
            stop) "$bin/pg_ctl" -D "$dir/data" -m fast -w stop >/dev/null 2>&1; echo stopped ;;
            start) start ;;
          esac
        done
        "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1
        """;

    /// <summary>Held so that its standard input stays open.</summary>
    private readonly Process supervisor;

    private PostgresProcess(Process supervisor, int port)
    {
        this.supervisor = supervisor;
        Port = port;
    }

    public int Port { get; }

    public string ConnectionString => ConnectionStringAt(Port);

    /// <summary>A server of the test's own; skips the test where there is no postgres.</summary>
    public static async Task<PostgresProcess> StartOwnAsync()
    {
        var (server, reason) = await StartAsync();
        if (server is null) Assert.Skip($"No PostgreSQL that this test may stop and slow down: {reason}.");
        return server;
    }

    /// <param name="port">Its own, or that of something before it.</param>
    public static string ConnectionStringAt(int port) => $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres";

    /// <summary>An orderly stop, which ends all connections.</summary>
    public Task StopAsync() => TellAsync("stop", Stopped);

    public Task StartAgainAsync() => TellAsync("start", Ready);

    public async ValueTask DisposeAsync()
    {
        supervisor.StandardInput.Close();
        await supervisor.WaitForExitAsync();
        supervisor.Dispose();
    }

    internal static async Task<(PostgresProcess? Server, string Reason)> StartAsync()
    {
        if (FindBinaries() is not { } bin) return (null, "there is no postgres under /usr/lib/postgresql or on PATH");

        var said = "";
        for (var attempt = 0; attempt < PortAttempts; attempt++)
        {
            var port = FreePort();
            var process = Process.Start(Describe(bin, port))!;
            said = await process.StandardOutput.ReadLineAsync() ?? "";
            if (said == Ready) return (new PostgresProcess(process, port), "");

            process.Dispose();
        }

        return (null, $"the postgres of {bin} does not start ({said})");
    }

    private async Task TellAsync(string word, string answer)
    {
        await supervisor.StandardInput.WriteLineAsync(word);
        await supervisor.StandardInput.FlushAsync();
        var said = await supervisor.StandardOutput.ReadLineAsync();
        Assert.True(said == answer, $"PostgreSQL did not {word}: {said}");
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
