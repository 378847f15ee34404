using System.Diagnostics;
using System.Globalization;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>What to run as a driver.</summary>
/// <param name="Environment">Its whole environment; a secret goes nowhere else.</param>
/// <param name="WorkFolder">Its scratch folder and working folder, removed after its end.</param>
internal sealed record DriverCommand(string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, string WorkFolder);

/// <summary>
/// The shell that stands between the gateway and a driver. It leads a kernel session of its own, and its standard input
/// is a pipe that only the gateway holds open: the end of that pipe, by Close or by the gateway's death of any kind, ends
/// every process of the session. It leaves with the driver's exit code, and only when nobody else is left.
/// </summary>
internal static class Supervisor
{
    // Descriptor 3 is the gateway's pipe, 4 the driver's log. Nobody but the driver keeps the log open, or any of the
    // gateway's own output, which its reader may be waiting to see closed. Of /proc/PID/stat the fields after the name
    // are state, parent, group and session.
    private const string Script = """
        work=$1 grace=$2
        shift 2
        exec 3<&0 4>&1 </dev/null >/dev/null 2>&1
        trap : TERM
        kill_others() {
          killed=
          read -r self rest < /proc/self/stat
          for file in /proc/[0-9]*/stat; do
            read -r line < "$file" || continue
            pid=${line%% *}
            set -- ${line##*) }
            [ "$4" = $$ ] && [ "$1" != Z ] && [ "$pid" != $$ ] && [ "$pid" != "$self" ] || continue
            kill -KILL "$pid" && killed=yes
          done
          [ "$killed" ]
        }
        (
          exec 4>&-
          trap '' TERM
          read -r nothing <&3
          kill -TERM -$$
          sleep "$grace"
          kill_others
        ) &
        "$@" >&4 2>&4 3<&- 4>&-
        status=$?
        exec 4>&-
        while kill_others; do sleep 0.1; done
        rm -rf "$work"
        exit $status
        """;

    public static Process Start(DriverCommand command, int graceSeconds)
    {
        var start = new ProcessStartInfo("setsid", ["/bin/sh", "-c", Script, "spark-gateway-driver", command.WorkFolder, graceSeconds.ToString(CultureInfo.InvariantCulture), command.Program, .. command.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = command.WorkFolder,
        };
        start.Environment.Clear();
        foreach (var (name, value) in command.Environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
