//! The store to merge into: the target, or for a dry run a private copy of it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::error::{IoContext as _, Result};
use crate::fsio::PrivateFolder;
use crate::fsio::StoreKind;
use crate::fsio::free_space;
use crate::fsio::{Staged, private_folder, sidecar_paths};
use crate::kv::KvReader;
use crate::migrate::copy_job::Job;
use crate::migrate::target_check::check_unlocked;
use crate::open::retry_if_changed;
use crate::record::KindSet;
use crate::sqlite::SourceOptions;
use crate::sqlite::{
    SourceFiles, SqliteSnapshot, TargetPath, copy_database, is_hot_journal, roll_back,
};
use crate::stream::Source;
use rustix::fs::{Access, access};

/// The store to merge into.
pub(super) struct MergeTarget<'j> {
    job: &'j Job<'j>,
    copy: Option<PrivateFolder>,
}

/// The directory in which a merge stores its planned changes.
pub(super) enum Workplace {
    Beside(Staged),
    Temporary(PrivateFolder),
}

impl Workplace {
    /// The file to be created in it.
    pub(super) fn file(&self) -> &Path {
        match self {
            Workplace::Beside(staged) => staged.path(),
            Workplace::Temporary(folder) => folder.file(),
        }
    }
}

impl<'j> MergeTarget<'j> {
    /// For a dry run: copies a target database, and fails if the target is not writable.
    pub(super) fn prepare(job: &'j Job<'j>) -> Result<Self> {
        let mut target = MergeTarget { job, copy: None };
        if job.options.dry_run {
            Staged::check(&job.destination)?;
            if job.target_store == StoreKind::Sqlite {
                target.copy = Some(target.copy_database()?);
            }
        }
        Ok(target)
    }

    fn given(&self) -> &'j Path {
        self.job.destination.given()
    }

    /// The path to write to, and its name in messages.
    pub(super) fn path(&self) -> TargetPath<'_> {
        let shown = self.given();
        let copy = self.copy.as_ref();
        TargetPath { path: copy.map_or(shown, PrivateFolder::file), shown }
    }

    fn copy_database(&self) -> Result<PrivateFolder> {
        retry_if_changed(|| {
            let copy = self.make_copy()?;
            copy_database(self.given(), copy.file(), self.job.progress)?;
            Ok(copy)
        })
    }

    fn temporary_folder(&self) -> Result<PrivateFolder> {
        private_folder(self.job.options.temp_dir.as_deref())
    }

    /// Creates a directory with enough disk space for a copy of the target.
    fn make_copy(&self) -> Result<PrivateFolder> {
        let folder = self.temporary_folder()?;
        let given = self.given();
        let mut bytes = fs::metadata(given).io_context("stat", given)?.len();
        if self.job.target_store == StoreKind::Sqlite {
            let sidecars = sidecar_paths(self.job.destination.path());
            bytes += sidecars
                .iter()
                .filter_map(|file| fs::metadata(file).ok())
                .map(|m| m.len())
                .sum::<u64>();
        }
        free_space::check_copy(folder.path(), bytes)?;
        Ok(folder)
    }

    /// Called before the target is written. For a dry run, fails if the target is not writable, and
    /// copies a KV file, which is unchanged since it was opened.
    pub(super) fn prepare_to_write(&mut self) -> Result<()> {
        if !self.job.options.dry_run {
            return Ok(());
        }
        let given = self.given();
        access(given, Access::WRITE_OK).map_err(io::Error::from).io_context("write", given)?;
        if self.job.target_store == StoreKind::Kv {
            check_unlocked(given, StoreKind::Kv)?;
            let copy = self.make_copy()?;
            fs::copy(given, copy.file()).io_context("create", copy.file())?;
            fs::set_permissions(copy.file(), Permissions::from_mode(0o600))
                .io_context("set the mode of", copy.file())?;
            self.copy = Some(copy);
        }
        Ok(())
    }

    pub(super) fn workplace(&self) -> Result<Workplace> {
        Ok(match self.job.options.dry_run {
            true => Workplace::Temporary(self.temporary_folder()?),
            false => Workplace::Beside(Staged::create(&self.job.destination)?),
        })
    }

    /// Opens the store in its state before the merge.
    pub(super) fn open(&self) -> Result<Box<dyn Source>> {
        if self.job.target_store == StoreKind::Kv {
            return Ok(Box::new(KvReader::open_verified(self.given())?));
        }
        Ok(Box::new(self.open_database()?))
    }

    fn open_database(&self) -> Result<SqliteSnapshot> {
        let target = self.path();
        let open = || {
            let files = SourceFiles::probe_as(target.shown, target.path)?;
            SqliteSnapshot::open_probed(files, &self.options(), self.job.progress)
        };
        match open() {
            Err(error) if is_hot_journal(&error) => {
                // The target may be written: an interrupted transaction, perhaps of another merge,
                // is rolled back.
                roll_back(target, self.job.progress)?;
                open()
            }
            snapshot => snapshot,
        }
    }

    /// Options for reading the target database: its tables without records don't matter for a
    /// merge.
    pub(super) fn options(&self) -> SourceOptions {
        SourceOptions {
            only: self.job.options.only,
            tables: self.job.options.tables.clone(),
            as_records: Some(KindSet::NONE),
            temp_dir: self.job.options.temp_dir.clone(),
            ignore_unknown_columns: true,
            allow_no_tables: true,
            ..SourceOptions::default()
        }
    }
}
