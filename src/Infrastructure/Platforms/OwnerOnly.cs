using System.Runtime.InteropServices;
using System.Text;

namespace SparkGateway.Infrastructure.Platforms;

/// <summary>Files and folders that no other user of the machine can read, from their first moment on.</summary>
internal static partial class OwnerOnly
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

    /// <summary>Gives a file a second name, unless that name is taken: atomic, which File.Move without overwriting is not.</summary>
    public static bool TryLink(string file, string name) => Link(file, name) == 0;

    /// <summary>
    /// Writes a file that nobody has written before; one that is there stays. Written aside and linked into place: of two
    /// processes that start together, both read the first one's. False: the file system refuses a hard link.
    /// </summary>
    public static bool TryMakeOnce(string path, string content)
    {
        if (File.Exists(path)) return true;
        var aside = $"{path}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using (var file = Open(aside, FileMode.CreateNew)) file.Write(Encoding.UTF8.GetBytes(content));
        var isThere = TryLink(aside, path) || File.Exists(path);
        File.Delete(aside);
        return isThere;
    }

    private static PlatformNotSupportedException NoUnix() => new("Local drivers and key files need a Unix file system.");

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string file, string name);
}
