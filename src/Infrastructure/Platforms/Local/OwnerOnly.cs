namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>Files and folders that no other user of the machine can read, from their first moment on.</summary>
internal static class OwnerOnly
{
    private const UnixFileMode ReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OthersRead = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static FileStream Open(string path, FileMode mode)
    {
        if (OperatingSystem.IsWindows()) throw NoUnix();
        return new FileStream(path, new FileStreamOptions
        {
            Mode = mode,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = ReadWrite,
        });
    }

    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows()) throw NoUnix();
        Directory.CreateDirectory(path, ReadWrite | UnixFileMode.UserExecute);
    }

    public static bool OthersMayRead(string path)
    {
        if (OperatingSystem.IsWindows()) throw NoUnix();
        return (File.GetUnixFileMode(path) & OthersRead) != 0;
    }

    private static PlatformNotSupportedException NoUnix() => new("Local drivers and key files need a Unix file system.");
}
